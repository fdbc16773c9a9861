"""Many people who ask and watch at the same time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from bench.house import House
from bench.people import BenchError, Person, Seen

REQUESTS_AT_ONCE = 8
WAIT_SECONDS = 120


class Crowd:
    """People who take turns."""

    def __init__(self, people: Sequence[Person]) -> None:
        self._people = people
        self._asked = 0

    async def ask(self, count: int) -> list[Seen]:
        """Ask for so many pictures as fast as the API takes them."""
        room = asyncio.Semaphore(REQUESTS_AT_ONCE)

        async def ask_in_turn() -> Seen:
            async with room:
                return await self._create()

        return await asyncio.gather(*(ask_in_turn() for _ in range(count)))

    async def ask_steadily(self, count: int, per_second: float) -> list[Seen]:
        """Ask for so many pictures, one each so often, whether the last has come or not."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        asking = []
        for number in range(count):
            await asyncio.sleep(began + number / per_second - loop.time())
            asking.append(asyncio.create_task(self._create()))
        return await asyncio.gather(*asking)

    async def until_completed(self, seen: Sequence[Seen]) -> None:
        """Wait until everybody has heard that all of these are there. Raises BenchError."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                for one in seen:
                    await one.completed.wait()
        except TimeoutError:
            raise BenchError(f"Not everything is completed after {WAIT_SECONDS} s.") from None

    async def _create(self) -> Seen:
        self._asked += 1
        return await self._people[self._asked % len(self._people)].create(seed=self._asked)


@asynccontextmanager
async def open_crowd(house: House, size: int) -> AsyncIterator[Crowd]:
    """So many people, each watching all of their own generations over a socket."""
    people = [house.person(f"person {number}") for number in range(size)]
    async with AsyncExitStack() as stack:
        for person in people:
            await stack.enter_async_context(person.watching())
        yield Crowd(people)
