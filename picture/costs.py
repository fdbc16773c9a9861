"""What an operation costs: the values in the largest answer that it may get, pages counted full.

A field counts one, and what a list holds counts as often as the list may be long. So the cost follows what the server
has to build and to send, whether a document asks for much at once or for little many times over.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
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
    OperationType,
    SchemaMetaFieldDef,
    SelectionSetNode,
    TypeMetaFieldDef,
    VariableNode,
    get_named_type,
)

CONNECTION = "Connection"
SIZES = ("first", "last", "ids")  # the arguments that say how long a list may be
# What lists without such an argument hold, by and large.
LIST_SIZE = 10
LIST_SIZES = {"images": 4, "tags": 5, "errors": 1}
INTROSPECTION = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}
INTROSPECTION_SIZES = {"fields": 5, "directives": 5}  # all other lists of a type are short, most of them empty
INTROSPECTION_SHARE = 4  # its values are attributes that are there: four of them take the time of one of ours
# What is done beside an answer, as values of one: the second and each further field of a mutation, the snapshot that a
# subscription begins with, and the executor's work for introspection, which no plan does.
WRITING, WATCHING, INTROSPECTING = 1000, 5000, 20_000
REMEMBERED = 64  # by the variables that matter, for each document


class Costs:
    """The costs of one valid document's operations, remembered by the variables that they depend on."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, page_default: int, page_max: int) -> None:
        self._schema = schema
        self._pages = (page_default, page_max)
        self._operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        fragments = (node for node in document.definitions if isinstance(node, FragmentDefinitionNode))
        self._fragments = {fragment.name.value: fragment for fragment in fragments}
        self._shaping: dict[str | None, tuple[str, ...]] = {}
        self._remembered: dict[tuple[object, ...], int] = {}

    def of(self, name: str | None, variables: Mapping[str, Any]) -> int:
        """The cost of the operation `name`, or of the only one; 0 when there is none."""
        shaping = self._shaping.get(name)
        if shaping is not None:
            cost = self._remembered.get((name, *(_size(variables.get(each)) for each in shaping)))
            if cost is not None:
                return cost
        return self._count(name, variables)

    def beside(self, name: str | None) -> int:
        """What the operation costs beside its answer: who asks is charged for it, but never refused."""
        operation = self._operation(name)
        if operation is None:
            return 0
        fields = list(self._roots(operation.selection_set))
        match operation.operation:
            case OperationType.SUBSCRIPTION:
                return WATCHING
            case OperationType.MUTATION:
                return (len(fields) - 1) * WRITING
        return INTROSPECTING if "__schema" in fields else 0

    def _roots(self, selected: SelectionSetNode) -> Iterator[str]:
        for selection in selected.selections:
            if isinstance(selection, FieldNode):
                yield selection.name.value
            elif isinstance(selection, FragmentSpreadNode):
                yield from self._roots(self._fragments[selection.name.value].selection_set)
            elif isinstance(selection, InlineFragmentNode):
                yield from self._roots(selection.selection_set)

    def _operation(self, name: str | None) -> OperationDefinitionNode | None:
        chosen = (each for each in self._operations if name is None or (each.name and each.name.value == name))
        return next(chosen, None)

    def _count(self, name: str | None, variables: Mapping[str, Any]) -> int:
        operation = self._operation(name)
        if operation is None:
            return 0
        count = _Count(self._schema, self._fragments, operation, variables, self._pages)
        cost = count.selections(operation.selection_set, self._schema.get_root_type(operation.operation))
        self._shaping[name] = shaping = tuple(sorted(count.shaping))
        if len(self._remembered) >= REMEMBERED:
            self._remembered.clear()
        self._remembered[(name, *(_size(variables.get(each)) for each in shaping))] = cost
        return cost


def _size(value: object) -> int | None:
    """What of a variable's value matters."""
    if isinstance(value, list | tuple):
        return len(value)
    return value if isinstance(value, int) else None


class _Count:
    """One count; each fragment is counted once, for its own type."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
        pages: tuple[int, int],
    ) -> None:
        self.schema = schema
        self.fragments = fragments
        self.variables = variables
        self.page_default, self.page_max = pages
        self.defaults = {node.variable.name.value: node.default_value for node in operation.variable_definitions or ()}
        self.counted: dict[str, int] = {}
        self.shaping: set[str] = set()

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
        name = field.name.value
        if name in INTROSPECTION:
            return 1 + self.values(field, INTROSPECTION[name], parent) // INTROSPECTION_SHARE
        if field.selection_set is None or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return 1
        definition = parent.fields.get(name)
        return self.values(field, definition, parent) if definition else 1

    def values(self, field: FieldNode, definition: GraphQLField, parent: GraphQLNamedType | None) -> int:
        each = 1 + self.selections(field.selection_set, get_named_type(definition.type))
        if parent and parent.name.startswith("__"):
            return self.introspected(field.name.value, definition.type, each)
        return each * self.times(field, definition, parent)

    def introspected(self, name: str, type: GraphQLOutputType, each: int) -> int:
        if name == "types":
            return each * len(self.schema.type_map)
        if name == "ofType":
            return each // 2  # tools ask nine deep for what mostly is one or two
        inner = type.of_type if isinstance(type, GraphQLNonNull) else type
        return each * (INTROSPECTION_SIZES.get(name, 1) if isinstance(inner, GraphQLList) else 1)

    def times(self, field: FieldNode, definition: GraphQLField, parent: GraphQLNamedType | None) -> int:
        """How often the field's selection is answered."""
        inner = definition.type.of_type if isinstance(definition.type, GraphQLNonNull) else definition.type
        given = {name: self.argument(field, name) for name in SIZES if name in definition.args}
        is_page = get_named_type(inner).name.endswith(CONNECTION)
        if not is_page and not isinstance(inner, GraphQLList):
            return 1
        if not is_page and parent and parent.name.endswith(CONNECTION):
            return 1  # the edges of a page have been counted with it
        if isinstance(ids := given.get("ids"), list | tuple):
            return len(ids)
        if "first" in definition.args:
            usual = definition.args["first"].default_value
            sizes = (given["first"], given.get("last"), usual, self.page_default)
            return min(max(next(size for size in sizes if isinstance(size, int)), 1), self.page_max)
        return LIST_SIZES.get(field.name.value, LIST_SIZE)

    def argument(self, field: FieldNode, name: str) -> Any:
        value = next((argument.value for argument in field.arguments or () if argument.name.value == name), None)
        if isinstance(value, VariableNode):
            self.shaping.add(value.name.value)
            given = self.variables.get(value.name.value)
            value = self.defaults.get(value.name.value) if given is None else given
        if isinstance(value, IntValueNode):
            return int(value.value)
        if isinstance(value, ListValueNode):
            return value.values
        return None if isinstance(value, NullValueNode) else value
