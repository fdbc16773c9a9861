"""What a document asks of the objects of one type in one place: found out once for all of them.

graphql-core asks anew of each object which definition a field has, which nodes and which arguments; and Strawberry has
each resolver be called through five functions, with an `Info` of its own. Here a schema's fields are looked at once,
a document's once an execution. Resolvers share an `Info`: its path is that of the first object, which none looks at.
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
    GraphQLSchema,
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

from schema.fields import LEAD, Lead

Read = Callable[[Any], Any]
SAME = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}  # what is told as it is
STRAWBERRY = "strawberry-definition"
SHAPES = "shapes"


@dataclass(eq=False, slots=True)
class Shape:
    """A field of a schema."""

    definition: GraphQLField
    parent: GraphQLObjectType
    returns: GraphQLOutputType
    is_nullable: bool
    convert: Read | None  # what a leaf's value becomes, …
    same: type | None  # … unless it is of this type
    item: GraphQLOutputType | None  # of a list
    objects: GraphQLObjectType | None  # that it leads to
    origin: type | None  # their class
    fact: Read | None  # how it is read, where that is always the same
    lead: Lead | None  # to a neighbour, which is best read for many objects at once

    @classmethod
    def of(cls, parent: GraphQLObjectType, definition: GraphQLField) -> "Shape":
        """That of one definition."""
        returns: Any = get_nullable_type(definition.type)
        item = returns.of_type if isinstance(returns, GraphQLList) else None
        named = get_named_type(item or returns)
        objects = named if isinstance(named, GraphQLObjectType) else None
        is_leaf, told = is_leaf_type(returns), definition.extensions.get(STRAWBERRY)
        return cls(
            definition=definition,
            parent=parent,
            returns=definition.type,
            is_nullable=not isinstance(definition.type, GraphQLNonNull),
            convert=partial(Executor.complete_leaf_value, returns) if is_leaf else None,
            same=SAME.get(returns) if is_leaf else None,
            item=item,
            objects=objects,
            origin=_origin(objects) if objects else None,
            fact=_fact(parent, told.python_name) if told and told.is_basic_field else None,
            lead=told.metadata.get(LEAD) if told else None,
        )


@dataclass(eq=False, slots=True)
class Field:
    """A field as it is asked of every object of a selection."""

    name: str  # in the answer
    shape: Shape
    details: FieldDetailsList
    read: Read
    below: "Selection | None"  # what is asked of the objects that it leads to


@dataclass(eq=False, slots=True)
class Selection:
    """Fields, in the order of the answer."""

    parent: str
    grouped: GroupedFieldSet  # kept, as it is known by its identity
    fields: Sequence[Field]
    leads: Sequence[Lead]  # to neighbours
    ways: Sequence[Field]  # to objects that have leads, or ways to such

    @property
    def leads_on(self) -> bool:
        """Whether there is anything to be read ahead."""
        return bool(self.leads or self.ways)


class Selections:
    """Those of one execution."""

    def __init__(self) -> None:
        self._known: dict[tuple[GraphQLObjectType, int], Selection] = {}

    def of(
        self, executor: Executor[Any], type_: GraphQLObjectType, grouped: GroupedFieldSet, path: Path | None
    ) -> Selection:
        """That of a type in a place, which graphql-core has collected."""
        key = (type_, id(grouped) if path else 0)  # the root's is collected for each event, and the same
        found = self._known.get(key)
        if found is None:
            asked = (self._field(executor, type_, name, details, path) for name, details in grouped.items())
            fields = [field for field in asked if field]
            leads = [field.shape.lead for field in fields if field.shape.lead]
            ways = [field for field in fields if field.below and field.below.leads_on]
            ways = [field for field in ways if field.shape.lead or field.shape.fact]
            found = self._known[key] = Selection(type_.name, grouped, fields, leads, ways)
        return found

    def forget(self) -> None:
        """Let go of them, and of all that they hold."""
        self._known.clear()

    def _field(
        self,
        executor: Executor[Any],
        parent: GraphQLObjectType,
        name: str,
        details: FieldDetailsList,
        path: Path | None,
    ) -> Field | None:
        shape = _shape(executor.schema, parent, details[0].node.name.value)
        if shape is None:
            return None
        below, at = None, Path(path, name, parent.name)
        if shape.objects:
            grouped = executor.collect_subfields(shape.objects, details).grouped_field_set
            below = self.of(executor, shape.objects, grouped, at)
        return Field(name, shape, details, shape.fact or _read(executor, shape, details, at), below)


def _shape(schema: GraphQLSchema, parent: GraphQLObjectType, name: str) -> Shape | None:
    shapes: dict[tuple[str, str], Shape] = schema.extensions.setdefault(SHAPES, {})
    if (parent.name, name) not in shapes:
        definition = schema.get_field(parent, name)
        if not definition:
            return None
        shapes[parent.name, name] = Shape.of(parent, definition)
    return shapes[parent.name, name]


def _origin(type_: GraphQLObjectType) -> type | None:
    told = type_.extensions.get(STRAWBERRY)
    return told.origin if told else None


def _fact(type_: GraphQLObjectType, name: str) -> Read:
    """An attribute, or what makes it of the object's row."""
    fact = getattr(_origin(type_), "FACTS", {}).get(name)
    return (lambda source: fact(source.row)) if fact else attrgetter(name)


def _read(executor: Executor[Any], shape: Shape, details: FieldDetailsList, path: Path) -> Read:
    """How the field's value is read of an object in this execution."""
    if lead := shape.lead:
        get, key, make = getattr(executor.context_value.loaders, lead.loader).get, lead.key, lead.make
        return lambda source: get(key(source), make)
    definition, node = shape.definition, details[0].node
    resolve, told = definition.resolve or executor.field_resolver, definition.extensions.get(STRAWBERRY)
    info = executor.build_resolve_info(definition, to_nodes(details), shape.parent, path)
    try:
        arguments = get_argument_values(definition, node, executor.variable_values) if definition.args else {}
        if not told or told.extensions or told.is_subscription or not told.base_resolver.self_parameter:
            return lambda source: resolve(source, info, **arguments)
        return _method(executor, told, info, arguments)
    except Exception as error:  # noqa: BLE001 – of each object that is asked
        return partial(_raise, error)


def _method(executor: Executor[Any], told: Any, raw: GraphQLResolveInfo[Any], arguments: dict[str, Any]) -> Read:
    """A method's call, without what Strawberry has in between."""
    strawberry: Any = executor.schema._strawberry_schema  # type: ignore[attr-defined]  # set by Strawberry
    info: Info[Any, Any] = Info(raw, told)
    scalars = strawberry.schema_converter.scalar_registry
    _, given = get_arguments(
        field=told, source=None, info=info, kwargs=arguments, config=strawberry.config, scalar_registry=scalars
    )
    method = told.base_resolver.wrapped_func
    if given.keys() == {"info"}:
        return lambda source: method(source, info)
    return lambda source: method(source, **given)


def _raise(error: Exception, _: Any) -> Any:
    raise error
