"""Mutations of one field, found by their document: run by their resolver, their payload written past the executor."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

from graphql import DocumentNode, FieldNode, GraphQLError, GraphQLField, OperationType, VariableNode, get_named_type
from graphql.pyutils import Undefined
from strawberry import Schema
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from db.errors import PictureError
from resolvers.errors import ErrorsAsData, as_data
from resolvers.plans.errors import UnfitError, UnplannedError
from resolvers.plans.payloads import Complete, Payloads, written
from resolvers.plans.plans import PLANNED_CHARACTERS, Kept
from resolvers.plans.request import Operation
from schema.context import Context


@dataclass(frozen=True, slots=True)
class Write:
    """A mutation's one field, with what it takes from the variables and how its payload is written."""

    operation: Operation
    node: FieldNode
    field: StrawberryField
    resolve: Callable[..., Awaitable[Any]]
    payload: type[Any]
    arguments: Mapping[str, str]  # by the argument's name the variable's
    complete: Complete

    @property
    def key(self) -> str:
        """Under which the answer has it."""
        return self.node.alias.value if self.node.alias else self.node.name.value


class ReadyWrite(NamedTuple):
    """A write with its arguments."""

    write: Write
    arguments: dict[str, Any]

    async def make(self, context: Context) -> Any:
        """The payload, errors that a client can act on in it. Raises the others."""
        info = SimpleNamespace(context=context)
        try:
            return await self.write.resolve(info, **self.arguments)
        except PictureError as error:
            return self.write.payload(errors=[as_data(error, self.arguments)])

    async def data(self, payload: Any, context: Context) -> dict[str, Any]:
        """What the answer's `data` says. Raises UnfitError."""
        return {self.write.key: await written(self.write.complete, payload, SimpleNamespace(context=context))}


class Writes:
    """Finds or compiles what a mutation's document asks for."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._writes: Kept[Write | None] = Kept()

    def find(self, text: str, document: DocumentNode, name: str | None, given: Mapping[str, Any]) -> ReadyWrite | None:
        """What a valid document asks for; None when it is for the executor."""
        if len(text) > PLANNED_CHARACTERS:
            return None
        write = self._writes.get((text, name), lambda: self._compiled(document, name))
        if write is None:
            return None
        try:
            variables = write.operation.coerce(given)
            raw = {argument: variables[variable] for argument, variable in write.arguments.items()}
            registry = self._schema.schema_converter.scalar_registry
            return ReadyWrite(write, convert_arguments(raw, write.field.arguments, registry, self._schema.config))
        except (UnfitError, GraphQLError, KeyError):
            return None

    def _compiled(self, document: DocumentNode, name: str | None) -> Write | None:
        operation = Operation.find(self._schema._schema, document, name)
        if operation is None or operation.node.operation is not OperationType.MUTATION:
            return None
        nodes = operation.node.selection_set.selections
        if len(nodes) > 1 or not isinstance(nodes[0], FieldNode) or nodes[0].directives or operation.node.directives:
            return None
        try:
            return self._write(operation, nodes[0])
        except UnplannedError:
            return None

    def _write(self, operation: Operation, node: FieldNode) -> Write:
        mutations = self._schema._schema.mutation_type
        definition: GraphQLField | None = mutations.fields.get(node.name.value) if mutations else None
        field: StrawberryField | None = definition.extensions["strawberry-definition"] if definition else None
        if definition is None or field is None or [type(one) for one in field.extensions] != [ErrorsAsData]:
            raise UnplannedError
        arguments = {
            argument.name.value: argument.value.name.value
            for argument in node.arguments or ()
            if isinstance(argument.value, VariableNode)
        }
        named = get_named_type(definition.type)
        if len(arguments) < len(node.arguments or ()) or any(
            name not in arguments and argument.default_value is not Undefined
            for name, argument in definition.args.items()
        ):
            raise UnplannedError
        complete = Payloads(self._schema._schema, operation.fragments).compile(definition.type, node.selection_set)
        payload = named.extensions["strawberry-definition"].origin
        resolve: Any = field.base_resolver.wrapped_func if field.base_resolver else None
        return Write(operation, node, field, resolve, payload, arguments, complete)
