"""Reading what fields ask for: at once what is asked for at once, each thing once, and for whoever still waits."""

import asyncio
from uuid import UUID

import pytest

from db import neighbours
from db.neighbours import Asked, Found
from schema.loading import Later, Loader, Reader

DOUBLES = neighbours.value("doubles", 0)
NAMES = neighbours.value("names", "nobody")
ONE, TWO = UUID(int=1), UUID(int=2)


class Library:
    """Answers when it may, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, set[UUID]]] = []
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.error: Exception | None = None

    async def read(self, asked: Asked) -> Found:
        self.asked.append({kind.rows: set(keys) for kind, keys in asked.items()})
        self.is_asked.set()
        await self.may_answer.wait()
        if self.error:
            raise self.error
        return {
            kind: {key: 2 * key.int if kind is DOUBLES else str(key.int) for key in keys}
            for kind, keys in asked.items()
        }


async def test_all_that_is_asked_for_at_once_is_read_at_once_and_only_once() -> None:
    library = Library()
    reader = Reader(library.read, remembers=True)
    doubles, names = Loader(reader, DOUBLES), Loader(reader, NAMES)
    asks = doubles.load(ONE), names.load(TWO), doubles.load(TWO), doubles.load(ONE)
    answers: list[object] = [*await asyncio.gather(*asks)]
    assert answers == [2, "2", 4, 2]
    assert [await doubles.load(TWO), await names.load(ONE)] == [4, "1"]
    assert library.asked == [{"doubles": {ONE, TWO}, "names": {TWO}}, {"names": {ONE}}]


async def test_what_is_read_ahead_is_there_without_waiting_until_it_is_forgotten() -> None:
    reader = Reader(Library().read, remembers=True)
    names = Loader(reader, NAMES)
    later = names.get(ONE, str.upper)
    assert isinstance(later, Later)
    await reader.read([later.ask])
    assert (names.get(ONE, str.upper), names.get(None, str)) == ("1", None)
    reader.forget()
    assert isinstance(names.get(ONE, str.upper), Later)


async def test_who_remembers_nothing_reads_each_time() -> None:
    library = Library()
    names = Loader(Reader(library.read, remembers=False), NAMES)
    for _ in range(2):
        assert await names.get(ONE, str.upper) == "1"
    assert len(library.asked) == 2


async def test_who_stops_waiting_does_not_stop_the_others() -> None:
    library = Library()
    library.may_answer.clear()
    names = Loader(Reader(library.read, remembers=True), NAMES)
    first, second = (asyncio.create_task(names.load(id)) for id in (ONE, TWO))
    await library.is_asked.wait()
    first.cancel()
    await asyncio.wait({first})
    library.may_answer.set()
    assert (first.cancelled(), await second) == (True, "2")


async def test_what_could_not_be_read_is_raised_for_each_who_asks() -> None:
    library = Library()
    library.error = ConnectionError()
    reader = Reader(library.read, remembers=True)
    names = Loader(reader, NAMES)
    answers: list[object] = [*await asyncio.gather(names.load(ONE), names.load(TWO), return_exceptions=True)]
    assert answers == [library.error, library.error]
    with pytest.raises(ConnectionError):
        names.get(ONE, str)
    assert len(library.asked) == 1
