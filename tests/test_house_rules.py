"""What was said twice and is now a test: how long things may be, who may import whom, what must be written down."""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path

import pytest
from graphql import GraphQLNamedType, is_enum_type, is_input_object_type, is_interface_type, is_object_type

ROOT = Path(__file__).parent.parent
ROOMS = ("picture", "resolvers", "schema", "tasks", "storage", "gpu", "db")
LONG_FILE_LINES, LONGEST_FILE_LINES = 200, 350
USUAL_FUNCTION_LINES, LONGEST_FUNCTION_LINES = 10, 60
Function = ast.FunctionDef | ast.AsyncFunctionDef


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def python_files() -> list[Path]:
    return [path for path in tracked("*.py") if "migrations" not in path.parts]


def trees() -> dict[str, ast.Module]:
    """The rooms' modules by their dotted names."""
    paths = [path.relative_to(ROOT) for path in tracked(*(f"{room}/*.py" for room in ROOMS))]
    return {
        ".".join(path.with_suffix("").parts).removesuffix(".__init__"): ast.parse((ROOT / path).read_text())
        for path in paths
    }


def test_files_fit_in_a_head() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in python_files()}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE_LINES} == {}
    short = [lines for lines in lengths.values() if lines < LONG_FILE_LINES]
    assert len(short) >= 0.85 * len(lengths), sorted(lengths.items(), key=lambda item: -item[1])[:20]


def test_functions_fit_on_a_screen() -> None:
    lengths = {
        f"{module}.{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, Function)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION_LINES} == {}
    assert statistics.median(lengths.values()) <= USUAL_FUNCTION_LINES


def imported(tree: ast.Module, modules: set[str]) -> Iterator[str]:
    """The rooms' modules that this one names, those inside functions and under TYPE_CHECKING, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in modules else node.module for name in names)


def test_no_two_modules_need_each_other() -> None:
    modules = trees()
    known = set(modules)
    graph = {name: set(imported(tree, known)) & known - {name} for name, tree in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" needs ".join(reversed(error.args[1])))


def undescribed(kind: GraphQLNamedType) -> Iterator[str]:
    if not kind.description:
        yield kind.name
    if is_enum_type(kind):
        yield from (f"{kind.name}.{name}" for name, value in kind.values.items() if not value.description)
    if is_object_type(kind) or is_interface_type(kind) or is_input_object_type(kind):
        for name, field in kind.fields.items():
            if not field.description:
                yield f"{kind.name}.{name}"
            for argument, value in getattr(field, "args", {}).items():
                if not value.description:
                    yield f"{kind.name}.{name}({argument})"


def test_everything_in_the_contract_is_described() -> None:
    from picture.graphql import schema

    kinds = schema._schema.type_map.values()
    ours = [kind for kind in kinds if not kind.name.startswith("__")]
    assert sorted(chain.from_iterable(undescribed(kind) for kind in ours)) == []


def test_the_printed_contract_is_current() -> None:
    from picture.graphql import schema

    assert (ROOT / "schema" / "schema.graphql").read_text() == schema.as_str() + "\n", "run `make schema`"


def test_every_setting_is_written_down() -> None:
    printer = subprocess.run([sys.executable, "docs/print_settings.py"], cwd=ROOT, capture_output=True, check=True)
    assert (ROOT / "docs" / "settings.md").read_text() == printer.stdout.decode(), "run `make schema`"


# In pieces, so that this file does not hold what it looks for.
ELSEWHERE = re.compile(
    r"py" r"pi\.org|python" r"hosted|npm" r"js\.org|debian\.org|--(extra-)?index" r"-url[ =]|\"resolved\":"
    r"|/(home|Users|work|farm)" r"/\w|/roo" r"t/(?!ComfyUI|\.npmrc)"  # these two are inside images
)  # fmt: skip


def test_nothing_names_a_package_registry_or_a_place_on_this_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in tracked()
        for number, line in enumerate(path.read_text(errors="ignore").splitlines(), 1)
        if ELSEWHERE.search(line)
    ]
    assert found == []
