"""Whose turn it is."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from db import taking
from db.errors import SupersededError
from db.tables import GenerationRow, ModelRow
from tests.db.conftest import Execute
from tests.db.people import People, Worker


async def reserved(worker: Worker, count: int) -> list[GenerationRow]:
    rows = [await worker.reserve() for _ in range(count)]
    return [row for row in rows if row]


async def test_priority_goes_before_the_tag_and_the_tag_before_age(
    people: People, worker: Worker, execute: Execute
) -> None:
    alice = await people("alice")
    rows = [await alice.create() for _ in range(4)]
    for row, priority, tag in zip(rows, (0, 0, 5, 5), (20, 10, 40, 30), strict=True):
        await execute(
            "update image_generations set priority = :p, tag = :t where id = :id", p=priority, t=tag, id=row.id
        )
    assert [row.tag for row in await reserved(worker, 5)] == [30, 40, 10, 20]


async def test_who_comes_after_a_long_queue_is_next_in_turn(people: People, worker: Worker) -> None:
    alice, bob = await people("alice"), await people("bob")
    for _ in range(30):
        await alice.create()
    for _ in range(3):
        await worker.reserve()
    fox = await bob.create()
    next_two = await reserved(worker, 2)
    assert fox.id in [row.id for row in next_two]


async def test_two_who_always_have_work_share_the_seconds(
    people: People, worker: Worker, catalogue: Sequence[ModelRow]
) -> None:
    slow, quick = (model for slug in ("sdxl", "sdxl-lightning") for model in catalogue if model.slug == slug)
    alice, bob = await people("alice"), await people("bob")
    for _ in range(30):
        await alice.create(model=slow)
        await bob.create(model=quick)
    seconds: Counter[object] = Counter()
    for row in await reserved(worker, 30):
        seconds[row.user_id] += row.expected_seconds  # type: ignore[assignment]
    longest = max(slow.expected_seconds, quick.expected_seconds)
    assert abs(seconds[alice.id] - seconds[bob.id]) <= 2 * longest


async def test_no_more_run_than_a_person_may_whoever_takes_them(people: People, worker: Worker) -> None:
    alice, bob = await people("alice"), await people("bob")
    for _ in range(12):
        await alice.create()
    await bob.create()
    workers = [worker.named(f"worker {n}", max_concurrent=3) for n in range(8)]
    taken = [row for row in await asyncio.gather(*(w.reserve() for w in workers)) if row]
    assert Counter(row.user_id for row in taken) == {alice.id: 3, bob.id: 1}
    await workers[0].named(str(taken[0].reserved_by)).start(taken[0])
    assert await workers[0].reserve() is None, "PROCESSING counts as much as a reservation"


async def test_each_is_taken_once_by_many(people: People, worker: Worker) -> None:
    for name in ("alice", "bob", "carol"):
        person = await people(name)
        for _ in range(8):
            await person.create()
    workers = [worker.named(f"worker {n}") for n in range(8)]
    taken = [row.id for w in workers for row in await asyncio.gather(*(w.reserve() for _ in range(4))) if row]
    assert len(taken) == len(set(taken)) == 24


async def test_what_this_worker_cannot_run_is_passed_over(
    people: People, worker: Worker, catalogue: Sequence[ModelRow]
) -> None:
    alice = await people("alice")
    await alice.create(model=catalogue[0])
    able = worker.named("able", models=[catalogue[1].id])
    assert await able.reserve() is None
    other = await alice.create(model=catalogue[1])
    (row,) = await reserved(able, 2)
    assert row.id == other.id


async def test_a_retry_waits_for_its_pause_and_keeps_its_tag(people: People, worker: Worker, execute: Execute) -> None:
    alice = await people("alice")
    fox = await alice.create()
    await worker.fail(await worker.take(), retry_after_seconds=60)
    assert await worker.reserve() is None
    await execute("update image_generations set not_before = now() where id = :id", id=fox.id)
    (again,) = await reserved(worker, 1)
    assert (again.id, again.tag, again.attempt, again.retry_count) == (fox.id, fox.tag, 1, 1)


async def test_a_reservation_is_free_to_cancel(people: People, worker: Worker) -> None:
    alice = await people("alice")
    row = await alice.create()
    (held,) = await reserved(worker, 1)
    assert (held.id, held.status) == (row.id, "queued")
    assert (await alice.cancel(row)).row.status == "canceled"
    with pytest.raises(SupersededError):
        await worker.start(held)
    async with worker.db.as_service() as session:
        assert not await taking.keep(session, worker.name, row.id, 60)


async def test_a_reservation_that_was_let_go_is_taken_by_another(people: People, worker: Worker) -> None:
    alice = await people("alice")
    row = await alice.create()
    (held,) = await reserved(worker, 1)
    async with worker.db.as_service() as session:
        assert await taking.release(session, worker.name) == 1
    (again,) = await reserved(worker.named("another"), 1)
    assert again.id == row.id
    with pytest.raises(SupersededError):
        await worker.start(held)


async def test_who_enters_an_empty_line_is_behind_nobodys_past(
    people: People, worker: Worker, catalogue: Sequence[ModelRow]
) -> None:
    """A line that nobody used for a week must not give out last week's tags."""
    alice, bob, carol = [await people(name) for name in ("alice", "bob", "carol")]
    for _ in range(10):
        await alice.create(model=catalogue[0])
    taken = await reserved(worker, 6)
    newcomer = await bob.create(model=catalogue[1])
    assert newcomer.tag == taken[-1].tag
    joins = await carol.create(model=catalogue[0])
    assert joins.tag == taken[-1].tag
