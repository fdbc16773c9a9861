"""From the selections of a validated query to its statement. It knows Relay's connections, and no table."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from graphql import FieldNode, GraphQLField, GraphQLObjectType, OperationType, get_named_type
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetails,
    collect_fields,
    collect_subfields,
)

from db.reading.entries import Asked, Column, Entry, Listing, Many, One, Same
from db.reading.table import ENTRIES
from resolvers.plans import pages
from resolvers.plans.arguments import BINDS
from resolvers.plans.calls import Bind, Call
from resolvers.plans.errors import UnplannedError
from resolvers.plans.parameters import Parameters
from resolvers.plans.plan import Plan
from resolvers.plans.request import Request
from schema.context import Context

MAX_KEY_BYTES = 63  # Postgres cuts longer names
MAX_ROWS = 100  # selects in one statement; planning one costs some 20 µs
STATEMENT = """{totals}select case when set_config('request.jwt.claims', $1::text, true) is not null then (
    select row_to_json(o)::text from ({root}) o) end{counted}"""
TOTAL = "total_{} as materialized (select coalesce({}::bigint, (select count(*) from {})) as count)"

Fields = list[FieldDetails]


class Compiler:
    """Compiles one operation, with variables that decide its shape."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._operation = request.operation.node
        self._fragments = dict(request.operation.fragments)
        self._variables = request.coerced()
        self._schema = request.schema._schema
        self._parameters = Parameters()
        self._calls: list[tuple[Call, Entry]] = []
        self._totals: dict[int, str] = {}
        self._rows = 0

    def compile(self) -> Plan:
        """The plan. Raises UnplannedError, and what a call raises for its values."""
        query = self._schema.query_type
        if query is None or self._operation.operation is not OperationType.QUERY:
            raise UnplannedError
        collected = collect_fields(self._schema, self._fragments, self._variables, query, self._operation)
        root = self._object(query, collected, "")
        statement = STATEMENT.format(
            totals=f"with {', '.join(self._totals.values())} " if self._totals else "",
            root=root,
            counted="".join(f", (select count from total_{number})" for number in self._totals),
        )
        return Plan(statement, tuple(self._parameters.slots), tuple(self._calls), tuple(self._totals))

    def _object(self, type_: GraphQLObjectType, collected: CollectedFields, row: str) -> str:
        """A select list of an object's fields."""
        return self._select(type_, collected, lambda fields: self._field(type_, fields, row))

    def _select(self, type_: GraphQLObjectType, collected: CollectedFields, tell: Callable[[Fields], str]) -> str:
        """A select list, each field as its key."""
        if collected.new_defer_usages or any(len(key) > MAX_KEY_BYTES for key in collected.grouped_field_set):
            raise UnplannedError
        columns = (
            f"""{f"'{type_.name}'" if _name(fields) == "__typename" else tell(fields)} as "{key}\""""
            for key, fields in collected.grouped_field_set.items()
        )
        return f"select {', '.join(columns)}"

    def _field(self, type_: GraphQLObjectType, fields: Fields, row: str) -> str:
        name = _name(fields)
        definition = type_.fields.get(name)
        told = ENTRIES.get(type_.name, {}).get(name) or BINDS.get((type_.name, name))
        if definition is None or told is None:  # introspection, or nobody's entry
            raise UnplannedError
        bind = told if callable(told) else partial(_as_given, told)
        asking = self._ask(bind, definition, fields[0].node)
        if isinstance(asking.asked.entry, Column):
            return self._fill(asking.asked.entry.sql, asking, t=row)
        below = get_named_type(definition.type)
        if not isinstance(below, GraphQLObjectType):
            raise UnplannedError
        if isinstance(asking.asked.entry, Listing):
            return self._connection(asking.asked.entry, below, fields, row, asking)
        return self._entry(asking.asked.entry, below, fields, row, asking)

    def _ask(self, bind: Bind, definition: GraphQLField, node: FieldNode) -> "_Asking":
        """What a field reads; one with arguments is asked again each time that the plan runs."""
        if not definition.args:
            return _Asking(None, bind(self._request.context, {}))
        call = Call.of(bind, definition, node, self._request)
        asked = call.ask(self._request)
        self._calls.append((call, asked.entry))
        return _Asking(len(self._calls) - 1, asked)

    def _entry(
        self, entry: Same | One | Many, type_: GraphQLObjectType, fields: Fields, row: str, asking: "_Asking"
    ) -> str:
        if isinstance(entry, Same):
            same = _json(self._object(type_, self._below(type_, fields), row))
            return f"case when {self._fill(entry.when, asking, t=row)} then {same} end" if entry.when else same
        alias = self._alias()
        read = f"{self._object(type_, self._below(type_, fields), alias)} from "
        read += self._fill(entry.source, asking, t=alias, p=row)
        if isinstance(entry, One):
            return _json(read)
        order = self._fill(entry.order, asking, t=alias, p=row)
        return f"coalesce((select json_agg(o) from ({read} order by {order}) o), '[]')"

    def _connection(
        self, listing: Listing, type_: GraphQLObjectType, fields: Fields, row: str, asking: "_Asking"
    ) -> str:
        alias, below = self._alias(), self._below(type_, fields)

        def fill(text: str) -> str:
            return self._fill(text, asking, t=alias, p=row)

        def tell(fields: Fields) -> str:
            name = _name(fields)
            inner = get_named_type(type_.fields[name].type)
            if name == "totalCount":
                return self._total(listing, row, asking)
            if name == "edges":
                return fill(pages.edges(self._edge(listing, inner, fields, alias)))
            return fill(_json(self._info(listing, inner, fields)))

        columns = self._select(type_, below, tell)
        if not {_name(fields) for fields in below.grouped_field_set.values()} & {"edges", "pageInfo"}:
            return _json(columns)
        # `having` makes it one row, whatever is selected: constants would be told once for each row of the page.
        return _json(f"{columns} from {fill(pages.rows(listing))} having true")

    def _edge(self, listing: Listing, type_: GraphQLObjectType, fields: Fields, alias: str) -> str:
        def tell(fields: Fields) -> str:
            if _name(fields) == "cursor":
                return pages.cursor(listing)
            node = get_named_type(type_.fields["node"].type)
            return _json(self._object(node, self._below(node, fields), alias))

        return _json(self._select(type_, self._below(type_, fields), tell))

    def _info(self, listing: Listing, type_: GraphQLObjectType, fields: Fields) -> str:
        info = pages.info(listing)
        return self._select(type_, self._below(type_, fields), lambda fields: info[_name(fields)])

    def _total(self, listing: Listing, row: str, asking: "_Asking") -> str:
        source = self._fill(listing.source, asking, t="c", p=row)
        if not listing.may_know_total:
            return f"(select count(*) from {source})"
        assert asking.call is not None
        known = self._fill("{known_total}", asking)
        self._totals[asking.call] = TOTAL.format(asking.call, known, source)
        return f"(select count from total_{asking.call})"

    def _below(self, type_: GraphQLObjectType, fields: Fields) -> CollectedFields:
        return collect_subfields(self._schema, self._fragments, self._variables, self._operation, type_, fields)

    def _fill(self, text: str, asking: "_Asking", **aliases: str) -> str:
        return self._parameters.fill(text, asking.asked, asking.call, **aliases)

    def _alias(self) -> str:
        self._rows += 1
        if self._rows > MAX_ROWS:
            raise UnplannedError
        return f"r{self._rows}"


class _Asking(NamedTuple):
    """The number of a call, and what it asked for when the plan was made."""

    call: int | None
    asked: Asked


def _json(select: str) -> str:
    """The object that a select of one row makes."""
    return f"(select row_to_json(o) from ({select}) o)"


def _name(fields: Fields) -> str:
    return fields[0].node.name.value


def _as_given(entry: Entry, context: Context, arguments: dict[str, Any]) -> Asked:
    return Asked(entry, arguments)
