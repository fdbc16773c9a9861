"""Fields with arguments: what of these is the same each time is found once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from graphql import (
    FieldNode,
    GraphQLField,
    ValueNode,
    VariableNode,
    Visitor,
    get_named_type,
    is_input_object_type,
    is_non_null_type,
    is_required_argument,
    visit,
)
from graphql.execution.values import get_argument_values
from strawberry.types.arguments import StrawberryArgument, convert_argument, convert_arguments

from db.reading.entries import Asked
from resolvers.plans.errors import UnfitError
from resolvers.plans.request import Request
from schema.context import Context

Bind = Callable[[Context, dict[str, Any]], Asked]


@dataclass(frozen=True, slots=True)
class Varying:
    """An argument that is a variable."""

    argument: StrawberryArgument
    variable: str
    may_be_null: bool
    is_object: bool

    def value(self, request: Request) -> Any:
        """As the resolver gets it. Raises UnfitError for null where there is none."""
        value = request.variables[self.variable]
        if value is None and not self.may_be_null:
            raise UnfitError
        if not self.is_object:
            return value
        return convert_argument(value, self.argument.type, request.registry, request.schema.config)


@dataclass(frozen=True, slots=True)
class Call:
    """A field with arguments, as it stands in the document."""

    bind: Bind
    definition: GraphQLField
    node: FieldNode
    fixed: Mapping[str, Any]  # what does not vary, and the defaults of what does
    varying: tuple[Varying, ...]
    is_nested: bool  # a variable stands inside of an argument: all are to be found each time

    @classmethod
    def of(cls, bind: Bind, definition: GraphQLField, node: FieldNode, request: Request) -> Self:
        """The call that `node` makes."""
        given = {one.name.value: one.value for one in node.arguments or ()}
        variables = {name: value.name.value for name, value in given.items() if isinstance(value, VariableNode)}
        optional = {name for name in variables if not is_required_argument(definition.args[name])}
        kept = tuple(one for one in node.arguments or () if one.name.value not in optional)
        fixed = _arguments(definition, FieldNode(name=node.name, arguments=kept), request)
        by_name = {request.name_of(one): one for one in definition.extensions["strawberry-definition"].arguments}
        varying = []
        for name, variable in variables.items():
            type_, argument = definition.args[name].type, by_name[name]
            is_object = is_input_object_type(get_named_type(type_))
            varying.append(Varying(argument, variable, not is_non_null_type(type_), is_object))
        is_nested = any(_holds_variable(value) for name, value in given.items() if name not in variables)
        return cls(bind, definition, node, fixed, tuple(varying), is_nested)

    def ask(self, request: Request) -> Asked:
        """What it reads this time. Raises UnfitError, PictureError or GraphQLError for what it cannot."""
        if self.is_nested:
            return self.bind(request.context, _arguments(self.definition, self.node, request))
        arguments = dict(self.fixed)
        for one in self.varying:
            if one.variable in request.variables:
                arguments[one.argument.python_name] = one.value(request)
        return self.bind(request.context, arguments)


def _arguments(definition: GraphQLField, node: FieldNode, request: Request) -> dict[str, Any]:
    """By the executor's own way, and Strawberry's."""
    arguments = definition.extensions["strawberry-definition"].arguments
    given = get_argument_values(definition, node, request.coerced())
    return convert_arguments(given, arguments, request.registry, request.schema.config)


def _holds_variable(value: ValueNode) -> bool:
    found = []

    class Find(Visitor):
        def enter_variable(self, node: VariableNode, *_: Any) -> None:
            found.append(node)

    visit(value, Find())
    return bool(found)
