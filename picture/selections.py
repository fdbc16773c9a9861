"""What a document asks of the objects of one type in one place: found out once for all of them.

graphql-core asks anew of each object which definition a field has, which nodes and which arguments; and Strawberry has
each resolver be called through five functions, with an `Info` of its own. Here they share one, whose path is that of
the first object: no resolver of ours looks at it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLField,
    GraphQLID,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLString,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.execution.executor import Executor, to_nodes
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path
from strawberry.schema.schema_converter import get_arguments
from strawberry.types.info import Info

from schema.fields import AHEAD

Read = Callable[[Any], Any]
SAME = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}  # what is told as it is


@dataclass(eq=False, slots=True)
class Field:
    """A field, as it is asked of every object of a selection."""

    name: str  # in the answer
    returns: GraphQLOutputType
    details: FieldDetailsList
    info: GraphQLResolveInfo[Any]
    read: Read
    convert: Read | None  # what a leaf's value becomes, …
    same: type | None  # … unless it is of this type
    item: GraphQLOutputType | None  # of a list
    origin: type | None  # of the objects that it leads to, …
    below: "Selection | None"  # … and what is asked of them
    is_nullable: bool
    is_attribute: bool
    is_ahead: bool  # a neighbour, which is best read for many at once


@dataclass(eq=False, slots=True)
class Selection:
    """Fields, in the order of the answer."""

    parent: str
    grouped: GroupedFieldSet  # kept, as it is known by its identity
    fields: Sequence[Field]
    neighbours: Sequence[Field]
    ways: Sequence[Field]  # to objects that have neighbours, or ways to such

    @property
    def leads_on(self) -> bool:
        """Whether there is anything to be read ahead."""
        return bool(self.neighbours or self.ways)


class Selections:
    """Those of one execution."""

    def __init__(self, executor: Executor[Any]) -> None:
        self._executor = executor
        self._known: dict[tuple[GraphQLObjectType, int], Selection] = {}

    def of(self, type_: GraphQLObjectType, grouped: GroupedFieldSet, path: Path | None) -> Selection:
        """That of a type in a place, which graphql-core has collected."""
        key = (type_, id(grouped) if path else 0)  # the root's is collected for each event, and the same
        found = self._known.get(key)
        if found is None:
            asked = (self._field(type_, name, details, path) for name, details in grouped.items())
            fields = [field for field in asked if field]
            neighbours = [field for field in fields if field.is_ahead]
            ways = [field for field in fields if field.below and field.below.leads_on]
            ways = [field for field in ways if field.is_ahead or field.is_attribute]
            found = self._known[key] = Selection(type_.name, grouped, fields, neighbours, ways)
        return found

    def _field(
        self, parent: GraphQLObjectType, name: str, details: FieldDetailsList, path: Path | None
    ) -> Field | None:
        executor = self._executor
        definition = executor.schema.get_field(parent, details[0].node.name.value)
        if not definition:
            return None
        at = Path(path, name, parent.name)
        info = executor.build_resolve_info(definition, to_nodes(details), parent, at)
        told = definition.extensions.get("strawberry-definition")
        returns: Any = get_nullable_type(definition.type)
        item = returns.of_type if isinstance(returns, GraphQLList) else None
        objects, origin, below = get_named_type(item or returns), None, None
        if isinstance(objects, GraphQLObjectType):
            origin = _origin(objects)
            below = self.of(objects, executor.collect_subfields(objects, details).grouped_field_set, at)
        is_leaf = is_leaf_type(returns)
        return Field(
            name=name,
            returns=definition.type,
            details=details,
            info=info,
            read=_read_by(executor, definition, details, info),
            convert=partial(executor.complete_leaf_value, returns) if is_leaf else None,
            same=SAME.get(returns) if is_leaf else None,
            item=item,
            origin=origin,
            below=below,
            is_nullable=not isinstance(definition.type, GraphQLNonNull),
            is_attribute=bool(told and told.is_basic_field),
            is_ahead=bool(told and told.metadata == AHEAD),
        )


def _origin(type_: GraphQLObjectType) -> type | None:
    told = type_.extensions.get("strawberry-definition")
    return told.origin if told else None


def _read_by(
    executor: Executor[Any], definition: GraphQLField, details: FieldDetailsList, info: GraphQLResolveInfo[Any]
) -> Read:
    """How the field's value is read of an object."""
    told = definition.extensions.get("strawberry-definition")
    if told and told.is_basic_field:
        return attrgetter(told.python_name)
    resolve, node = definition.resolve or executor.field_resolver, details[0].node
    try:
        arguments = get_argument_values(definition, node, executor.variable_values) if definition.args else {}
        if not told or told.extensions or told.is_subscription or not told.base_resolver.self_parameter:
            return lambda source: resolve(source, info, **arguments)
        return _method(executor, told, Info(info, told), arguments)
    except Exception as error:  # noqa: BLE001 – of each object that is asked
        return partial(_raise, error)


def _method(executor: Executor[Any], told: Any, info: Info[Any, Any], arguments: dict[str, Any]) -> Read:
    """A method's call, without what Strawberry has in between."""
    method, parameter = told.base_resolver.wrapped_func, told.base_resolver.info_parameter
    if not arguments and parameter and not told.arguments:
        return lambda source: method(source, info)
    strawberry: Any = executor.schema._strawberry_schema  # type: ignore[attr-defined]  # set by Strawberry
    scalars = strawberry.schema_converter.scalar_registry
    _, given = get_arguments(
        field=told, source=None, info=info, kwargs=arguments, config=strawberry.config, scalar_registry=scalars
    )
    return lambda source: method(source, **given)


def _raise(error: Exception, _: Any) -> Any:
    raise error
