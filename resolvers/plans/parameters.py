"""Texts of `db.reading` with their names filled in."""

from db.reading.entries import Asked
from resolvers.plans.plan import Slot
from resolvers.plans.values import VALUES


class Parameters:
    """The values that a statement names, each sent once, from `$2` on."""

    def __init__(self) -> None:
        self.slots: list[Slot] = []

    def fill(self, text: str, asked: Asked, call: int | None, **aliases: str) -> str:
        """`text` with aliases of rows and places of values: of the call of that number, or the context's."""
        return text.format_map(_Names(self, asked, call, aliases))

    def place(self, slot: Slot) -> str:
        """Where a value stands."""
        if slot not in self.slots:
            self.slots.append(slot)
        return f"${self.slots.index(slot) + 2}"


class _Names(dict[str, str]):
    def __init__(self, parameters: Parameters, asked: Asked, call: int | None, aliases: dict[str, str]) -> None:
        super().__init__(aliases)
        self._parameters, self._asked, self._call = parameters, asked, call

    def __missing__(self, name: str) -> str:
        if name in self._asked.values:
            return self._parameters.place(Slot(name, self._call))
        assert name in VALUES, f"nothing knows the value {{{name}}}"
        return self._parameters.place(Slot(name, None))
