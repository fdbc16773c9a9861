"""Events are numbered per owner in the order of their commits, so that a missing number means something missed."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from db import events
from db.claims import ANONYMOUS
from db.database import Database
from db.errors import PictureError
from tests.db.people import People, Person, Worker


async def seqs(person: Person) -> list[int]:
    return [event.seq for event in await person.events()]


async def watch(person: Person, changing: asyncio.Future[Any]) -> None:
    """Read on and on: whatever number is seen, all before it are."""
    while not changing.done():
        seen = await seqs(person)
        assert seen == list(range(1, len(seen) + 1))


async def test_numbers_have_no_gaps_however_many_change_at_once(people: People, worker: Worker) -> None:
    alice = await people("alice")
    rows = await asyncio.gather(*(alice.create() for _ in range(40)))
    attempts = [await worker.take() for _ in range(20)]

    async def quietly(change: Coroutine[Any, Any, object]) -> None:
        with suppress(PictureError):
            await change

    changes = [
        *(alice.cancel(row) for row in rows),
        *(worker.fail(attempt, retry_after_seconds=60) for attempt in attempts[:10]),
        *(worker.complete(attempt) for attempt in attempts[10:]),
        *(alice.create() for _ in range(40)),
    ]
    changing = asyncio.gather(*map(quietly, changes))
    await asyncio.gather(changing, watch(alice, changing))
    told = await alice.events()
    assert [event.seq for event in told] == list(range(1, len(told) + 1))
    assert len(told) >= 140


async def test_one_reads_on_behind_a_number_in_bites(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    rows = [await alice.create() for _ in range(5)]
    await bob.create()
    async with alice.db.as_user(alice.claims) as session:
        bite = await events.after(session, alice.id, 1, limit=2)
        assert [(event.seq, event.generation_id) for event in bite] == [(2, rows[1].id), (3, rows[2].id)]
        assert await events.after(session, alice.id, 5) == []
        assert await events.after(session, bob.id, 0) == [], "those of others are not to be read"


async def test_the_numbers_of_what_is_deleted_are_passed_over(people: People) -> None:
    alice = await people("alice")
    first, second = await alice.create(), await alice.create()
    await alice.delete(first)
    assert [(event.seq, event.generation_id) for event in await alice.events()] == [(2, second.id)]
    await alice.cancel(second)
    assert await seqs(alice) == [2, 4]


async def test_anybody_may_ask_for_newest_numbers(people: People, api_login: Database) -> None:
    alice, bob = await people("alice"), await people("bob")
    await alice.cancel(await alice.create())
    async with api_login.as_user(ANONYMOUS) as session:
        assert await events.heads(session, [alice.id, bob.id]) == {alice.id: 2, bob.id: 0}


async def test_a_snapshot_is_of_one_moment(people: People, worker: Worker) -> None:
    alice, bob = await people("alice"), await people("bob")
    ended, runs, waits = [await alice.create() for _ in range(3)]
    await alice.cancel(ended)
    await worker.take()
    await bob.create()
    head, rows = await events.snapshot(alice.db, alice.claims, alice.id)
    assert (head, [row.id for row in rows]) == (5, [runs.id, waits.id])
    head, rows = await events.snapshot(alice.db, alice.claims, alice.id, ended.id)
    assert (head, [row.status for row in rows]) == (5, ["canceled"])
    assert await events.snapshot(alice.db, alice.claims, bob.id) == (0, [])


async def test_a_snapshot_says_what_its_number_says(people: People) -> None:
    """The number and the rows of two moments would lose a change, or tell one twice."""
    alice = await people("alice")
    creating = asyncio.gather(*(alice.create() for _ in range(30)))
    while not creating.done():
        head, rows = await events.snapshot(alice.db, alice.claims, alice.id)
        assert head == len(rows)
    await creating
