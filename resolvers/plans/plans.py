"""Plans, found by what decides their shape: document, operation, whether anybody asks, and a few of the variables."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from enum import Enum
from typing import Any, Generic, NamedTuple, TypeVar

from graphql import DocumentNode, GraphQLError, OperationType
from strawberry import Schema

from db.errors import PictureError
from db.reading.entries import Asked
from resolvers.plans.compiler import Compiler
from resolvers.plans.errors import UnfitError, UnplannedError
from resolvers.plans.plan import Plan
from resolvers.plans.request import Operation, Request
from schema.context import Context

KEPT = 512
PLANNED_CHARACTERS = 10_000  # of a document; longer ones are rare

T = TypeVar("T")


class Ready(NamedTuple):
    """A plan with all that it takes to run it."""

    plan: Plan
    name: str | None  # of the operation
    asked: list[Asked]
    values: list[object]

    async def run(self, context: Context) -> str:
        """The JSON of `data`: one statement, one round trip."""
        row = await context.db.direct.row(self.plan.statement, context.claims, *self.values)
        assert row
        for place, call in enumerate(self.plan.totals, start=1):
            if self.asked[call].values["known_total"] is None:
                context.counts.put(self.asked[call].total_key, row[place])
        answer: str = row[0]
        return answer


class Plans:
    """Finds or makes the plan of a query."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._operations: Kept[Operation | None] = Kept()
        self._plans: Kept[Plan | None] = Kept()

    def find(
        self, context: Context, text: str, document: DocumentNode, name: str | None, given: Mapping[str, Any]
    ) -> Ready | None:
        """What answers an operation of a valid document; None when the resolvers are to."""
        if len(text) > PLANNED_CHARACTERS:
            return None
        operation = self._operations.get((text, name), lambda: Operation.find(self._schema._schema, document, name))
        if operation is None or operation.node.operation is not OperationType.QUERY:
            return None
        try:
            request = Request(self._schema, context, operation, given, operation.coerce(given))
            key = (text, name, context.claims.sub is None, _shape(request.variables))
            plan = self._plans.get(key, lambda: _compiled(request))
            if plan is None:
                return None
            asked = plan.ask(request)
            return Ready(plan, operation.name, asked, plan.values(context, asked))
        except (UnfitError, PictureError, GraphQLError):
            return None


class Kept(Generic[T]):
    """The newest of what was made."""

    def __init__(self) -> None:
        self._made: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What has been made for this key, or is made now."""
        if key in self._made:
            self._made.move_to_end(key)
            return self._made[key]
        made = self._made[key] = make()
        if len(self._made) > KEPT:
            self._made.popitem(last=False)
        return made


def _compiled(request: Request) -> Plan | None:
    try:
        return Compiler(request).compile()
    except UnplannedError:
        return None


def _shape(value: Any) -> Hashable:
    """What of a variable can decide a statement: presence, null, switches and members of closed lists."""
    if value is None or isinstance(value, bool | Enum):
        return value
    if isinstance(value, dict):
        return tuple((name, _shape(inner)) for name, inner in value.items())
    return type(value).__name__
