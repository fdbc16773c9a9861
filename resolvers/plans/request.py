"""One execution of an operation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    VariableDefinitionNode,
    coerce_input_value,
    is_input_type,
    is_non_null_type,
    type_from_ast,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues, get_variable_values
from strawberry import Schema
from strawberry.types.arguments import StrawberryArgument

from resolvers.plans.errors import UnfitError
from schema.context import Context


class Variable(NamedTuple):
    """A variable as an operation declares it."""

    name: str
    type: GraphQLInputType
    default: Any  # Undefined when there is none


@dataclass(frozen=True, slots=True)
class Operation:
    """What of a document belongs to one operation."""

    node: OperationDefinitionNode
    fragments: Mapping[str, FragmentDetails]
    variables: Sequence[Variable]

    @classmethod
    def find(cls, schema: GraphQLSchema, document: DocumentNode, name: str | None) -> Self | None:
        """The operation of that name, or the only one; None when there is none, or several."""
        nodes = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        named = [node for node in nodes if name is None or (node.name and node.name.value == name)]
        if len(named) != 1:
            return None
        fragments = (node for node in document.definitions if isinstance(node, FragmentDefinitionNode))
        variables = [_variable(schema, node) for node in named[0].variable_definitions or ()]
        return cls(named[0], {one.name.value: FragmentDetails(one) for one in fragments}, variables)

    @property
    def name(self) -> str | None:
        """As the document has it."""
        return self.node.name.value if self.node.name else None

    def coerce(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The variables' values, defaults among them. Raises UnfitError when one is not as it must be."""
        coerced = {}
        for name, type_, default in self.variables:
            value = given.get(name, Undefined)
            value = default if value is Undefined else coerce_input_value(value, type_)
            if value is not Undefined:
                coerced[name] = value
            elif name in given or is_non_null_type(type_):
                raise UnfitError
        return coerced


@dataclass(frozen=True, slots=True)
class Request:
    """One execution of an operation, with its variables as they came and as they are."""

    schema: Schema
    context: Context
    operation: Operation
    given: Mapping[str, Any]
    variables: Mapping[str, Any]

    def coerced(self) -> VariableValues:
        """As the executor has them."""
        definitions = self.operation.node.variable_definitions or ()
        values = get_variable_values(self.schema._schema, definitions, dict(self.given))
        if not isinstance(values, VariableValues):
            raise UnfitError
        return values

    @property
    def registry(self) -> Any:
        """What Strawberry knows of scalars."""
        return self.schema.schema_converter.scalar_registry

    def name_of(self, argument: StrawberryArgument) -> str:
        """As the schema has it."""
        return self.schema.config.name_converter.from_argument(argument)


def _variable(schema: GraphQLSchema, node: VariableDefinitionNode) -> Variable:
    type_, name = type_from_ast(schema, node.type), node.variable.name.value
    assert is_input_type(type_), "the document has been validated"
    if node.default_value is None:
        return Variable(name, type_, Undefined)
    values = get_variable_values(schema, [node], {})
    assert isinstance(values, VariableValues)
    return Variable(name, type_, values.coerced[name])
