"""A payload as what its JSON says, for selections of plain fields: those that take no arguments."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import FragmentDetails

from resolvers.plans.errors import UnfitError, UnplannedError

Later = list[tuple[dict[str, Any], str, Any, "Complete"]]  # what has to be awaited, and where it goes
Complete = Callable[[Any, Any, Later], Any]  # a value, what the operation works with, what is left for later
Read = Callable[[Any, Any], Any]


async def written(complete: Complete, payload: object, info: object) -> Any:
    """The payload as JSON takes it. Raises UnfitError where the executor is to say what is wrong."""
    later: Later = []
    data = complete(payload, info, later)
    while later:  # all of one depth at once, so that loaders ask for them together
        now, later = later, []
        found = await asyncio.gather(*(value for _, _, value, _ in now))
        for (into, key, _, finish), value in zip(now, found, strict=True):
            into[key] = finish(value, info, later)
    return data


class Payloads:
    """Compiles selections of one document. Raises UnplannedError for what is not plain."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDetails]) -> None:
        self._schema = schema
        self._fragments = fragments

    def compile(self, type_: GraphQLOutputType, selections: SelectionSetNode | None) -> Complete:
        """How a value of this type is completed."""
        if is_non_null_type(type_):
            return _required(self.compile(type_.of_type, selections))
        if is_list_type(type_):
            each = self.compile(type_.of_type, selections)
            return lambda value, info, later: None if value is None else [each(one, info, later) for one in value]
        if is_leaf_type(type_):
            coerce = type_.coerce_output_value
            return lambda value, info, later: None if value is None else coerce(value)
        assert selections
        if is_object_type(type_):
            return self._object(type_, selections)
        return self._abstract(type_, selections)

    def _abstract(self, type_: GraphQLOutputType, selections: SelectionSetNode) -> Complete:
        named = get_named_type(type_)
        assert is_abstract_type(named)
        possible = {one.name: self._object(one, selections) for one in self._schema.get_possible_types(named)}

        def complete(value: Any, info: Any, later: Later) -> Any:
            return None if value is None else possible[type(value).__strawberry_definition__.name](value, info, later)

        return complete

    def _object(self, type_: GraphQLObjectType, selections: SelectionSetNode) -> Complete:
        fields: dict[str, tuple[Read, Complete]] = {}
        for node in self._fields(type_, selections):
            key = node.alias.value if node.alias else node.name.value
            if key in fields and node.selection_set:
                raise UnplannedError  # both selections count; a leaf is the same in a valid document
            fields[key] = self._field(type_, node)
        plain = [(key, read, complete) for key, (read, complete) in fields.items()]

        def complete(value: Any, info: Any, later: Later) -> Any:
            if value is None:
                return None
            data: dict[str, Any] = {}
            for key, read, finish in plain:
                found = read(value, info)
                if hasattr(found, "__await__"):
                    data[key] = None  # its place among the others
                    later.append((data, key, found, finish))
                else:
                    data[key] = finish(found, info, later)
            return data

        return complete

    def _field(self, type_: GraphQLObjectType, node: FieldNode) -> tuple[Read, Complete]:
        if node.name.value == "__typename":
            return (lambda value, info: type_.name), (lambda value, info, later: value)
        definition = type_.fields[node.name.value]
        if definition.args:
            raise UnplannedError
        field = definition.extensions["strawberry-definition"]
        complete = self.compile(definition.type, node.selection_set)
        if field.base_resolver is None:
            name = field.python_name
            return (lambda value, info: getattr(value, name)), complete
        method, takes_info = field.base_resolver.wrapped_func, field.base_resolver.info_parameter is not None
        return (lambda value, info: method(value, info) if takes_info else method(value)), complete

    def _fields(self, type_: GraphQLObjectType, selections: SelectionSetNode) -> Iterator[FieldNode]:
        for node in selections.selections:
            if node.directives:
                raise UnplannedError
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or self._is(type_, node.type_condition.name.value):
                    yield from self._fields(type_, node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value].definition
                if fragment.directives:
                    raise UnplannedError
                if self._is(type_, fragment.type_condition.name.value):
                    yield from self._fields(type_, fragment.selection_set)

    def _is(self, type_: GraphQLObjectType, name: str) -> bool:
        return type_.name == name or any(interface.name == name for interface in type_.interfaces)


def _required(complete: Complete) -> Complete:
    def required(value: Any, info: Any, later: Later) -> Any:
        if value is None:
            raise UnfitError
        return complete(value, info, later)

    return required
