"""Events as JSON without executing their operation, where the selection asks for nothing but what they hold.

An operation is executed for each event and socket, at ten times the price of all else about an event. A projection
is compiled once for a selection, reads plain attributes, and what it makes of an event is shared by all who selected
the same. What it does not know (a field with a resolver, a foreign directive) it leaves to execution, event by event.
"""

import math
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import orjson
from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    VariableNode,
    is_abstract_type,
    is_leaf_type,
    is_specified_scalar_type,
)

from schema.context import Info

PROJECTIONS = 512
HOLE = secrets.token_hex(16)  # stands for the cursor, which differs between those who hear of the same event
CONDITIONS = {"skip", "include"}
STRAWBERRY = "strawberry-definition"

Read = Callable[[Any], Any]
# What is told as it is, by the type's name.
PLAIN: Mapping[str, tuple[type, Callable[[Any], bool]]] = {
    "String": (str, lambda _: True),
    "ID": (str, lambda _: True),
    "Boolean": (bool, lambda _: True),
    "Int": (int, lambda value: GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT),
    "Float": (float, math.isfinite),
}
Fields = dict[str, list[FieldNode]]
Pieces = Sequence[bytes]

_projections: OrderedDict[object, "Projection"] = OrderedDict()


class _UnknownError(Exception):
    """Not to be told without executing."""


def projection_of(info: Info) -> "Projection":
    """That of a subscription; the same one for the same document and conditions, unless it was long ago."""
    raw, variables = info._raw_info, info.variable_values
    conditions = frozenset((name, value) for name, value in variables.items() if isinstance(value, bool))
    key = (id(raw.operation), conditions)  # the projection keeps the operation, so nothing else gets its number
    found = _projections.pop(key, None) or Projection(raw.schema, raw.operation, raw.fragments, variables)
    _projections[key] = found
    if len(_projections) > PROJECTIONS:
        _projections.popitem(last=False)
    return found


class Projection:
    """What a subscription's only field tells of the events of its stream."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._fragments = fragments
        self._variables = variables
        self._reads: dict[type, tuple[str, Read] | None] = {}  # by the event's type: the field's key, what it tells

    def render(self, event: object) -> Pieces | None:
        """The payload of `event`, whose cursor is `HOLE`, in pieces between which cursors go; None: execute it."""
        kind = type(event)
        if kind not in self._reads:
            self._reads[kind] = self._compile(kind.__name__)
        known = self._reads[kind]
        if known is None:
            return None
        key, read = known
        try:
            value = read(event)
        except (_UnknownError, GraphQLError, AttributeError, TypeError, ValueError):
            return None  # execution says what is wrong with it
        return orjson.dumps({"data": {key: value}}).split(HOLE.encode())

    def _compile(self, name: str) -> tuple[str, Read] | None:
        root, type_ = self._schema.subscription_type, self._schema.get_type(name)
        assert root
        assert isinstance(type_, GraphQLObjectType)
        fields: Fields = {}
        try:
            _refuse_foreign(self._operation.directives)
            self._collect(root, self._operation.selection_set.selections, fields)
            ((key, nodes),) = fields.items()  # a valid subscription has one
            return key, self._object(type_, nodes)
        except _UnknownError:
            return None

    def _object(self, type_: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Read:
        fields: Fields = {}
        for node in nodes:
            if node.selection_set:
                self._collect(type_, node.selection_set.selections, fields)
        reads = [(key, *self._field(type_, found)) for key, found in fields.items()]
        facts = getattr(type_.extensions[STRAWBERRY].origin, "FACTS", None)
        if facts is None:
            return lambda source: {key: convert(getattr(source, attribute)) for key, attribute, convert in reads}
        # Straight from its row: an attribute that is made when it is asked for takes three times as long.
        made = [(key, facts.get(attribute, attrgetter(attribute)), convert) for key, attribute, convert in reads]

        def read(source: Any) -> dict[str, Any]:
            row = source.row
            return {key: convert(fact(row)) for key, fact, convert in made}

        return read

    def _collect(
        self,
        type_: GraphQLObjectType,
        selections: Iterable[SelectionNode],
        fields: Fields,
        seen: set[str] | None = None,
    ) -> None:
        """As execution does: keys in the order in which they first appear, all fields of one key together."""
        seen = set() if seen is None else seen  # a fragment that is spread again says nothing new
        for node in selections:
            assert isinstance(node, FieldNode | FragmentSpreadNode | InlineFragmentNode)
            _refuse_foreign(node.directives)
            if not self._is_wanted(node):
                continue
            if isinstance(node, FieldNode):
                fields.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or self._is_of(type_, node.type_condition.name.value):
                    self._collect(type_, node.selection_set.selections, fields, seen)
            elif node.name.value not in seen:
                seen.add(node.name.value)
                fragment = self._fragments[node.name.value]
                if self._is_of(type_, fragment.type_condition.name.value):
                    self._collect(type_, fragment.selection_set.selections, fields, seen)

    def _is_wanted(self, node: FieldNode | FragmentSpreadNode | InlineFragmentNode) -> bool:
        """Whether no condition speaks against it. A directive has been refused unless it is one of CONDITIONS."""
        for directive in node.directives or ():
            (condition,) = (argument.value for argument in directive.arguments or ())
            if isinstance(condition, VariableNode):
                given = self._variables[condition.name.value]
            else:
                assert isinstance(condition, BooleanValueNode)
                given = condition.value
            if given == (directive.name.value == "skip"):
                return False
        return True

    def _is_of(self, type_: GraphQLObjectType, name: str) -> bool:
        condition = self._schema.get_type(name)
        return condition is type_ or (is_abstract_type(condition) and self._schema.is_sub_type(condition, type_))

    def _field(self, type_: GraphQLObjectType, nodes: Sequence[FieldNode]) -> tuple[str, Read]:
        """The attribute that holds it, and how that is read."""
        name = nodes[0].name.value
        if name == "__typename":
            return "__class__", lambda _: type_.name
        field = type_.fields[name]
        definition = field.extensions[STRAWBERRY]
        if not definition.is_basic_field:
            raise _UnknownError
        return definition.python_name, self._value(field.type, nodes)

    def _value(self, type_: GraphQLOutputType, nodes: Sequence[FieldNode]) -> Read:
        if isinstance(type_, GraphQLNonNull):
            return self._present(type_.of_type, nodes)
        convert = self._present(type_, nodes)
        return lambda value: None if value is None else convert(value)

    def _present(self, type_: GraphQLOutputType, nodes: Sequence[FieldNode]) -> Read:
        """How a value is read that must not be null."""
        if isinstance(type_, GraphQLList):
            each = self._value(type_.of_type, nodes)
            return lambda values: [each(value) for value in values]
        if is_leaf_type(type_):
            return _leaf(type_)
        if isinstance(type_, GraphQLObjectType):
            return self._object(type_, nodes)
        raise _UnknownError


class _Names(dict[object, object]):
    """The names of an enum's values, each looked up once: that takes long."""

    def __init__(self, enum: GraphQLEnumType) -> None:
        super().__init__()
        self._enum = enum

    def __missing__(self, value: object) -> object:
        name = self[value] = self._enum.coerce_output_value(value)
        return name


def _leaf(type_: GraphQLLeafType) -> Read:
    """As execution converts it, which raises GraphQLError for null."""
    if isinstance(type_, GraphQLEnumType):
        return _Names(type_).__getitem__
    if is_specified_scalar_type(type_):
        return _scalar(type_)

    def convert(value: object) -> object:
        found = type_.coerce_output_value(value)
        if found is None:
            raise _UnknownError
        return found

    return convert


def _scalar(type_: GraphQLScalarType) -> Read:
    """As graphql-core converts it, which looks for what has to be converted first."""
    coerce, (kind, is_plain) = type_.coerce_output_value, PLAIN[type_.name]

    def convert(value: Any) -> object:
        return value if type(value) is kind and is_plain(value) else coerce(value)

    return convert


def _refuse_foreign(directives: Iterable[Any] | None) -> None:
    if any(directive.name.value not in CONDITIONS for directive in directives or ()):
        raise _UnknownError
