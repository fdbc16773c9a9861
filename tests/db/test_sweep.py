"""The repair pass: what lost its worker ends all the same, and once."""

import asyncio
from collections import Counter

import pytest

from tasks import sweep
from tasks.resources import SweepResources
from tests.db.conftest import Execute
from tests.db.people import People, Person, Worker


@pytest.fixture
async def alice(people: People) -> Person:
    return await people("alice")


async def lose(execute: Execute) -> None:
    """The worker of all that runs was not heard of in time."""
    await execute("update image_generations set lease_until = now() - interval '1 ms' where lease_until is not null")


async def kinds(person: Person) -> list[str]:
    return [f"{event.kind}{' again' if event.will_retry else ''}" for event in await person.events()]


async def test_what_lost_its_worker_is_tried_again_until_it_has_failed(
    resources: SweepResources, alice: Person, worker: Worker, execute: Execute
) -> None:
    row = await alice.create()
    for _ in range(3):
        await worker.take()
        await sweep.sweep(resources)
        assert await alice.status(row) == "processing", "a lease that runs is left alone"
        await lose(execute)
        await sweep.sweep(resources)
    ended = await execute("select status, failure_code, attempt, retry_count from image_generations")
    assert ended == [("failed", "worker_lost", 3, 2)]
    once = ["started", "failed again", "queued"]
    assert await kinds(alice) == ["queued", *once, *once, "started", "failed"]
    assert (await alice.usage()).generations_today == 0


async def test_what_was_to_stop_ends_canceled_when_its_worker_is_lost(
    resources: SweepResources, alice: Person, worker: Worker, execute: Execute
) -> None:
    row = await alice.create()
    await worker.take()
    await alice.cancel(row)
    await lose(execute)
    await sweep.sweep(resources)
    assert await alice.status(row) == "canceled"
    assert await kinds(alice) == ["queued", "started", "canceling", "canceled"]


async def test_what_a_dead_worker_had_reserved_is_free_again(
    resources: SweepResources, alice: Person, worker: Worker, execute: Execute
) -> None:
    row = await alice.create()
    await worker.reserve()
    await sweep.sweep(resources)
    assert await worker.named("another").reserve() is None
    await lose(execute)
    await sweep.sweep(resources)
    again = await worker.named("another").reserve()
    assert again
    assert again.id == row.id


async def test_two_sweeps_at_once_do_it_once(
    resources: SweepResources, alice: Person, worker: Worker, execute: Execute
) -> None:
    for _ in range(5):
        await alice.create()
    for _ in range(5):
        await worker.take()
    await lose(execute)
    await asyncio.gather(*(sweep.sweep(resources) for _ in range(4)))
    await sweep.sweep(resources)
    assert Counter(await kinds(alice)) == {"queued": 10, "started": 5, "failed again": 5}
