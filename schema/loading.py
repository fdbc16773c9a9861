"""Reading what fields ask for: all that is asked for at the same time by one statement, and each thing once."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from db.known_models import KnownModels
from db.neighbours import Asked, Found, Neighbours
from db.tables import ModelRow

T = TypeVar("T")
V = TypeVar("V")
Ask = tuple[Neighbours[Any], UUID]
Make = Callable[[Any], Any]
UNKNOWN = object()


@dataclass(eq=False)
class Batch:
    """What is asked for in one turn of the loop."""

    asks: set[Ask]
    found: Mapping[Ask, Any] | None = None  # None once it is over: whoever was to read it was cancelled
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Reader:
    """Reads for one operation, and remembers what it has read; or, for operations one after another, nothing."""

    def __init__(self, read: Callable[[Asked], Awaitable[Found]], *, remembers: bool) -> None:
        self.remembers = remembers
        self._read = read
        self._known: dict[Ask, Any] = {}
        self._made: dict[tuple[Ask, Make], Any] = {}
        self._batch: Batch | None = None

    async def load(self, ask: Ask) -> Any:
        """What the key leads to."""
        value = self._known[ask] if ask in self._known else (await self._join({ask}))[ask]
        if isinstance(value, Exception):
            raise value
        return value

    async def read(self, asks: Iterable[Ask]) -> None:
        """Know these from now on; what could not be read raises when it is asked for."""
        if missing := {ask for ask in asks if ask not in self._known}:
            await self._join(missing)

    def get(self, ask: Ask, make: Make) -> Any:
        """What `make` makes of what the key leads to, once, and None of nothing; Later while it is not known."""
        made = self._made.get((ask, make), UNKNOWN)
        if made is not UNKNOWN:
            return made
        value = self._known.get(ask, UNKNOWN)
        if value is UNKNOWN:
            return Later(self, ask, make)
        if isinstance(value, Exception):
            raise value
        made = self._made[ask, make] = None if value is None else make(value)
        return made

    def forget(self) -> None:
        """Read anew what is asked for next."""
        self._known.clear()
        self._made.clear()

    async def _join(self, asks: set[Ask]) -> Mapping[Ask, Any]:
        while batch := self._batch:
            batch.asks |= asks
            await batch.over.wait()
            if batch.found is not None:
                return batch.found
        return await self._run(Batch(set(asks)))

    async def _run(self, batch: Batch) -> Mapping[Ask, Any]:
        self._batch = batch
        try:
            await asyncio.sleep(0)  # for the others who ask in this turn
            self._batch = None
            batch.found = await self._found(batch.asks)
            return batch.found
        finally:
            self._batch = None if self._batch is batch else self._batch
            batch.over.set()

    async def _found(self, asks: set[Ask]) -> Mapping[Ask, Any]:
        asked: defaultdict[Neighbours[Any], list[UUID]] = defaultdict(list)
        for kind, key in asks:
            asked[kind].append(key)
        found: dict[Ask, Any]
        try:
            values = await self._read(asked)
            found = {ask: values[ask[0]][ask[1]] for ask in asks}
        except Exception as error:  # noqa: BLE001 – for each who has asked
            found = dict.fromkeys(asks, error)
        if self.remembers:
            self._known |= found
        return found


class Later(Generic[T]):
    """What is still to be read; await it, or read it with others and ask again."""

    __slots__ = ("_make", "_reader", "ask")

    def __init__(self, reader: Reader, ask: Ask, make: Make) -> None:
        self._reader, self.ask, self._make = reader, ask, make

    def __await__(self) -> Generator[Any, None, T]:
        return self._awaited().__await__()

    async def _awaited(self) -> T:
        value = await self._reader.load(self.ask)
        made: Any = None if value is None else self._make(value)
        return cast("T", made)


@dataclass(frozen=True, slots=True)
class Loader(Generic[V]):
    """What ids lead to."""

    reader: Reader
    kind: Neighbours[V]

    async def load(self, id: UUID) -> V:
        """What it leads to."""
        found: V = await self.reader.load((self.kind, id))
        return found

    def asks(self, ids: Iterable[UUID | None]) -> set[Ask]:
        """What to read ahead, so that none of these is Later."""
        return {(self.kind, id) for id in ids if id}

    def get(self, id: UUID | None, make: Make) -> Any:
        """What `make` makes of it; None where there is no id, or nothing to see. Later while that is not known.

        graphql-core awaits what is an awaitable: a task for each field of each object would cost more than the reading.
        """
        return self.reader.get((self.kind, id), make) if id else None


@dataclass(frozen=True, slots=True)
class ModelLoader(Loader[ModelRow | None]):
    """That of models, which are few, and known for a moment."""

    known: KnownModels

    def asks(self, ids: Iterable[UUID | None]) -> set[Ask]:
        """Rarely any."""
        return {(self.kind, id) for id in ids if id and not self.known.knows(id)}

    def get(self, id: UUID | None, make: Make) -> Any:
        """As of others; rarely Later."""
        return self.known.shown(id, make) or Loader.get(self, id, make) if id else None
