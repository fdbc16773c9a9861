"""A compiled query: its statement, and where the values of its parameters come from."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.reading.entries import Asked, Entry
from resolvers.plans.calls import Call
from resolvers.plans.errors import UnfitError
from resolvers.plans.request import Request
from resolvers.plans.values import VALUES
from schema.context import Context


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter: a value of the call of that number, or one that the context knows."""

    name: str
    call: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """One statement: `$1` are the claims, the first column is the JSON of `data`, the others are totals."""

    statement: str
    slots: Sequence[Slot]
    calls: Sequence[tuple[Call, Entry]]
    totals: Sequence[int]  # of these calls

    def ask(self, request: Request) -> list[Asked]:
        """What its calls read this time. Raises UnfitError when that is not what was compiled."""
        asked = [call.ask(request) for call, _ in self.calls]
        if any(ask.entry != entry for ask, (_, entry) in zip(asked, self.calls, strict=True)):
            raise UnfitError
        return asked

    def values(self, context: Context, asked: Sequence[Asked]) -> list[object]:
        """The parameters from the second on. Raises UnfitError."""
        values = [
            VALUES[slot.name](context) if slot.call is None else asked[slot.call].values[slot.name]
            for slot in self.slots
        ]
        if any(isinstance(value, str) and "\0" in value for value in values):
            raise UnfitError  # Postgres has no text with it
        return values
