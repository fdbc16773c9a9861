"""How many objects an operation may make the server build, at most."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

LIST_SIZE = 10  # what lists without pages hold, by and large: models, the images of a generation
CONNECTION = "Connection"


def count_objects(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, Any],
    page_default: int,
    page_max: int,
) -> int:
    """Objects in the largest possible answer of a valid document; each fragment is counted once for its type."""
    return _Count(schema, document, variables, page_default, page_max).operation(operation_name)


class _Count:
    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        variables: Mapping[str, Any],
        page_default: int,
        page_max: int,
    ) -> None:
        self.schema = schema
        self.document = document
        self.variables = variables
        self.page_default = page_default
        self.page_max = page_max
        self.defaults: dict[str, Any] = {}
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self.counted: dict[str, int] = {}

    def operation(self, name: str | None) -> int:
        for definition in self.document.definitions:
            if isinstance(definition, OperationDefinitionNode) and (
                name is None or (definition.name and definition.name.value == name)
            ):
                self.defaults = {v.variable.name.value: v.default_value for v in definition.variable_definitions or ()}
                return self.selections(definition.selection_set, self.schema.get_root_type(definition.operation))
        return 0

    def selections(self, selected: SelectionSetNode | None, parent: GraphQLNamedType | None) -> int:
        total = 0
        for selection in selected.selections if selected else ():
            if isinstance(selection, FieldNode):
                total += self.field(selection, parent)
            elif isinstance(selection, FragmentSpreadNode):
                total += self.fragment(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self.schema.get_type(condition.name.value) if condition else parent
                total += self.selections(selection.selection_set, inner)
        return total

    def fragment(self, name: str) -> int:
        if name not in self.counted:
            fragment = self.fragments[name]
            condition = self.schema.get_type(fragment.type_condition.name.value)
            self.counted[name] = self.selections(fragment.selection_set, condition)
        return self.counted[name]

    def field(self, field: FieldNode, parent: GraphQLNamedType | None) -> int:
        if field.selection_set is None or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return 0
        definition = parent.fields.get(field.name.value)
        if definition is None:  # introspection, which validation bounds
            return 0
        each = 1 + self.selections(field.selection_set, get_named_type(definition.type))
        return each * self.times(field, definition.type, parent)

    def times(self, field: FieldNode, type: GraphQLOutputType, parent: GraphQLNamedType) -> int:
        """How often the field's selection is answered."""
        inner = type.of_type if isinstance(type, GraphQLNonNull) else type
        if get_named_type(inner).name.endswith(CONNECTION):
            sizes = [self.argument(field, name) for name in ("first", "last")]
            size = next((size for size in sizes if isinstance(size, int)), self.page_default)
            return min(max(size, 1), self.page_max)
        if not isinstance(inner, GraphQLList) or parent.name.endswith(CONNECTION):
            return 1  # the edges of a page have been counted with it
        ids = self.argument(field, "ids")
        return len(ids) if isinstance(ids, list | tuple) else LIST_SIZE

    def argument(self, field: FieldNode, name: str) -> Any:
        value = next((argument.value for argument in field.arguments or () if argument.name.value == name), None)
        if isinstance(value, VariableNode):
            given = self.variables.get(value.name.value)
            value = self.defaults.get(value.name.value) if given is None else given
        if isinstance(value, IntValueNode):
            return int(value.value)
        if isinstance(value, ListValueNode):
            return value.values
        return None if isinstance(value, NullValueNode) else value
