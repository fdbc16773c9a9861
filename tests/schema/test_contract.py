"""The schema keeps the contract: what it has of it, it has under its names, with its types and nullability."""

from pathlib import Path
from typing import Any

import pytest
from graphql import TypeDefinitionNode, parse, print_ast

from picture.graphql import schema

Definitions = dict[str, Any]


def definitions(text: str) -> Definitions:
    return {node.name.value: node for node in parse(text).definitions if isinstance(node, TypeDefinitionNode)}


CONTRACT = definitions((Path(__file__).parent / "contract.graphql").read_text("utf-8"))
OURS = definitions(schema.as_str())


def members(type: Any) -> dict[str, str]:
    """Each field with its arguments and type, or each value, as one comparable line."""
    return {member.name.value: line(member) for member in parts(type, "fields", "values")}


def parts(node: Any, *names: str) -> list[Any]:
    return [part for name in names for part in getattr(node, name, None) or ()]


def line(member: Any) -> str:
    arguments = sorted(f"{a.name.value}: {print_ast(a.type)} = {default(a)}" for a in parts(member, "arguments"))
    return f"({', '.join(arguments)}): {print_ast(member.type)} = {default(member)}" if hasattr(member, "type") else ""


def sayings(type: Any) -> dict[str, str]:
    """What is said of the type and of each of its members, where something is."""
    described = [(type.name.value, type), *((member.name.value, member) for member in parts(type, "fields", "values"))]
    return {name: " ".join(node.description.value.lower().split()) for name, node in described if node.description}


def default(value: Any) -> str:
    given = getattr(value, "default_value", None)
    return print_ast(given) if given else ""


@pytest.mark.parametrize("name", sorted(CONTRACT))
def test_a_type_of_the_contract_is_there_whole(name: str) -> None:
    theirs, ours = CONTRACT[name], OURS[name]
    assert ours.kind == theirs.kind
    expected = members(theirs)
    assert {member: line for member, line in members(ours).items() if member in expected} == expected


@pytest.mark.parametrize("name", sorted(CONTRACT))
def test_what_the_contract_says_of_it_is_said_in_ours(name: str) -> None:
    ours = sayings(OURS[name])
    theirs = {member: said.removesuffix(".") for member, said in sayings(CONTRACT[name]).items()}
    assert {member: said for member, said in theirs.items() if said not in ours.get(member, "")} == {}


@pytest.mark.parametrize("name", sorted(CONTRACT))
def test_a_type_implements_what_the_contract_says(name: str) -> None:
    theirs, ours = (
        {interface.name.value for interface in parts(side[name], "interfaces")} for side in (CONTRACT, OURS)
    )
    assert theirs <= ours


def test_nothing_has_an_id_but_nodes() -> None:  # Relay's runtime keys its records by bare `id`
    objects = {name: type for name, type in OURS.items() if type.kind == "object_type_definition"}
    nodes = {name for name, type in objects.items() if any(i.name.value == "Node" for i in parts(type, "interfaces"))}
    assert {name for name, type in objects.items() if "id" in members(type)} == nodes
