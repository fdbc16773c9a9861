"""Everybody at once: nobody waits for each other in a circle, and the books are right afterwards."""

import asyncio
from collections import Counter
from contextlib import suppress

from db.errors import PictureError
from tests.db.conftest import Execute
from tests.db.people import FILE_BYTES, People, Person, Worker

GENERATIONS = 12


async def ask(person: Person, *, regrets: bool) -> None:
    for number in range(GENERATIONS):
        row = await person.create()
        if regrets and number % 3 == 0:
            with suppress(PictureError):
                await person.cancel(row)


async def work(worker: Worker, asking: asyncio.Future[list[None]]) -> None:
    """Take what there is until nobody asks any more; of three runs one breaks, and one is tried again."""
    number = 0
    while True:
        is_over = asking.done()
        row = await worker.reserve()
        if row is None and is_over:
            return
        with suppress(PictureError):
            if row:
                attempt, number = await worker.start(row), number + 1
                if number % 3 == 0:
                    await worker.fail(attempt)
                elif number % 3 == 1 and attempt.number == 1:
                    await worker.fail(attempt, retry_after_seconds=0)
                else:
                    await worker.complete(attempt)


async def test_the_books_are_right_after_a_crowd(people: People, worker: Worker, execute: Execute) -> None:
    persons = [await people(name) for name in ("alice", "bob", "carol", "dave")]
    asking = asyncio.gather(*(ask(person, regrets=number > 1) for number, person in enumerate(persons)))
    workers = [worker.named(f"worker {number}", max_concurrent=3) for number in range(4)]
    await asyncio.gather(asking, *(work(one, asking) for one in workers))

    for person in persons:
        rows = await execute(
            "select status, (select count(*) from images i where i.generation_id = g.id)"
            " from image_generations g where user_id = :owner",
            owner=person.id,
        )
        ended = Counter(rows)
        assert ended.keys() <= {("completed", 1), ("failed", 0), ("canceled", 0)}
        assert ended.total() == GENERATIONS
        usage = await person.usage()
        completed = ended["completed", 1]
        assert (usage.generations_today, usage.storage_bytes) == (completed, completed * FILE_BYTES)
        told = await person.events()
        assert [event.seq for event in told] == list(range(1, len(told) + 1))
        final = Counter(event.generation_id for event in told if is_final(event.kind, event.will_retry))
        assert set(final.values()) == {1}
        assert len(final) == GENERATIONS


def is_final(kind: str, will_retry: bool) -> bool:
    return kind in ("completed", "canceled") or (kind == "failed" and not will_retry)
