"""Every generation ends once: only its newest attempt may write."""

import asyncio

import pytest

from db import taking
from db.enums import GenerationStage
from db.errors import ConflictError, SupersededError
from db.taking import Attempt
from tests.db.conftest import Execute
from tests.db.people import FILE_BYTES, People, Worker


async def writes(worker: Worker, attempt: Attempt) -> list[str]:
    """Which of its writes an attempt may still do."""
    done = []
    beat = {"lease_seconds": 60, "stage": GenerationStage.SAMPLING, "progress": 0.5}
    for name in ("extend", "announce", "commit", "fail", "give_back"):
        try:
            if name == "extend":
                async with worker.db.as_service() as session:
                    await taking.extend(session, attempt, **beat)  # type: ignore[arg-type]
            else:
                await getattr(worker, name)(attempt)
            done.append(name)
        except SupersededError:
            pass
    return done


async def test_what_an_older_attempt_writes_is_refused(people: People, worker: Worker) -> None:
    alice = await people("alice")
    row = await alice.create()
    first = await worker.take()
    await worker.announce(first)
    await worker.fail(first, retry_after_seconds=0)
    assert await writes(worker, first) == []
    second = await worker.take()
    assert (second.number, second.generation_id) == (2, row.id)
    assert await writes(worker, first) == []
    await worker.complete(second)
    assert await writes(worker, first) == await writes(worker, second) == []
    assert await alice.status(row) == "completed"


async def test_completing_twice_makes_its_pictures_once(people: People, worker: Worker, execute: Execute) -> None:
    alice = await people("alice")
    row = await alice.create(image_count=2)
    attempt = await worker.take()
    await worker.announce(attempt, image_count=2)
    both = await asyncio.gather(*(worker.commit(attempt, 2) for _ in range(2)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in both) == ["Changed", "SupersededError"]
    images = await execute("select image_index from images where generation_id = :id order by 1", id=row.id)
    assert images == [(0,), (1,)]
    assert (await alice.usage()).storage_bytes == 2 * FILE_BYTES


async def test_a_result_is_discarded_once_its_owner_wants_it_to_stop(
    people: People, worker: Worker, execute: Execute
) -> None:
    alice = await people("alice")
    row = await alice.create()
    attempt = await worker.take()
    await worker.announce(attempt)
    assert (await alice.cancel(row)).row.status == "canceling"
    assert (await worker.commit(attempt)).row.status == "canceled"
    assert await execute("select count(*) from images") == [(0,)]


async def test_a_failure_is_told_with_what_follows(people: People, worker: Worker) -> None:
    alice = await people("alice")
    await alice.create()
    await worker.fail(await worker.take(), retry_after_seconds=0)
    await worker.fail(await worker.take())
    told = [(event.seq, event.kind, event.will_retry, event.attempt) for event in await alice.events()]
    assert told == [
        (1, "queued", False, 0),
        (2, "started", False, 1),
        (3, "failed", True, 1),
        (4, "queued", False, 1),
        (5, "started", False, 2),
        (6, "failed", False, 2),
    ]
    assert [event.failure and event.failure["code"] for event in await alice.events(after=5)] == ["node_error"]


async def test_a_worker_that_goes_gives_back_without_a_mark(people: People, worker: Worker) -> None:
    alice = await people("alice")
    row = await alice.create()
    changed = await worker.give_back(await worker.take())
    assert (changed.row.status, changed.row.retry_count, changed.row.attempt) == ("queued", 0, 1)
    attempt = await worker.named("another").take()
    assert (attempt.generation_id, attempt.number) == (row.id, 2)


async def test_what_runs_is_not_deleted(people: People, worker: Worker) -> None:
    alice = await people("alice")
    row = await alice.create()
    attempt = await worker.take()
    with pytest.raises(ConflictError):
        await alice.delete(row)
    await worker.complete(attempt)
    await alice.delete(row)
    assert await alice.status(row) is None
