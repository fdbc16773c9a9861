"""What is removed: objects of ours that nobody needs, and rows that are old enough; nothing of anybody else."""

from dataclasses import replace
from pathlib import Path

import pytest

from db import images
from db.claims import ANONYMOUS
from storage.config import FolderConfig
from storage.objects import Storage, open_storage
from tasks import sweep
from tasks.resources import SweepResources
from tests.db.conftest import OTHERS, Execute
from tests.db.people import People, Person, Worker


@pytest.fixture
async def alice(people: People) -> Person:
    return await people("alice")


async def stored(storage: Storage) -> set[str]:
    return {key async for key in storage.list()}


async def put(storage: Storage, keys: list[str], folder: Path) -> None:
    file = folder / "fox.webp"
    file.write_bytes(b"a fox")
    for key in keys:
        await storage.put(key, file, "image/webp")


async def grow_old(execute: Execute) -> None:
    await execute("update objects set created_at = created_at - interval '61 minutes'")


async def test_what_an_ended_attempt_has_left_is_removed_and_nothing_else(
    resources: SweepResources, storage: Storage, alice: Person, worker: Worker, execute: Execute, tmp_path: Path
) -> None:
    for _ in range(3):
        await alice.create()
    lost, runs, done = [await worker.take() for _ in range(3)]
    left, unfinished, kept = [await worker.announce(attempt) for attempt in (lost, runs, done)]
    await put(storage, [*left, *unfinished, *kept], tmp_path)
    await worker.commit(done)
    await worker.fail(lost, retry_after_seconds=60)
    await sweep.sweep(resources)
    assert await stored(storage) == {*left, *unfinished, *kept, OTHERS}, "its worker may still be writing"
    await grow_old(execute)
    await sweep.sweep(resources)
    assert await stored(storage) == {*unfinished, *kept, OTHERS}
    assert sorted(await execute("select key, state from objects")) == sorted(
        [*((key, "announced") for key in unfinished), *((key, "kept") for key in kept)]
    )


async def test_an_attempt_whose_objects_are_removed_can_no_longer_complete(
    resources: SweepResources, alice: Person, worker: Worker, execute: Execute
) -> None:
    row = await alice.create()
    first = await worker.take()
    await worker.announce(first)
    await worker.fail(first, retry_after_seconds=0)
    second = await worker.take()
    await worker.announce(second)
    await grow_old(execute)
    await sweep.sweep(resources)
    await worker.commit(second)
    assert await alice.status(row) == "completed"
    assert await execute("select count(*), min(state) from objects") == [(3, "kept")]


async def test_a_deleted_image_is_gone_at_once_and_its_objects_after(
    resources: SweepResources, storage: Storage, alice: Person, worker: Worker, execute: Execute, tmp_path: Path
) -> None:
    await alice.create(is_public=True)
    attempt = await worker.take()
    keys = await worker.announce(attempt)
    await put(storage, keys, tmp_path)
    await worker.commit(attempt)
    ((publication,),) = await execute("select publication_id from images")
    await alice.delete_images()
    async with alice.db.as_user(ANONYMOUS) as session:
        assert await images.published(session, publication) is None  # type: ignore[arg-type]
    assert await stored(storage) == {*keys, OTHERS}
    await sweep.tidy(resources)
    assert await stored(storage) == {OTHERS}
    assert await execute("select * from objects") == []


async def test_an_object_that_was_never_announced_is_not_ours_to_remove(
    resources: SweepResources, storage: Storage, alice: Person, execute: Execute
) -> None:
    """The images of an older deployment lie where others' may."""
    await execute("insert into images (user_id, storage_path) values (:owner, :key)", owner=alice.id, key=OTHERS)
    await alice.delete_images()
    await sweep.sweep(resources)
    assert await stored(storage) == {OTHERS}


async def test_events_and_keys_go_after_a_day_and_failures_after_thirty(
    resources: SweepResources, alice: Person, worker: Worker, execute: Execute
) -> None:
    failed, canceled, done = [await alice.create() for _ in range(3)]
    await alice.cancel(canceled)
    attempts = {attempt.generation_id: attempt for attempt in [await worker.take() for _ in range(2)]}
    await worker.fail(attempts[failed.id])
    await worker.complete(attempts[done.id])
    await execute("insert into idempotency_keys select user_id, 'm', 'k', '\\x00', id from image_generations limit 1")
    count = "select (select count(*) from generation_events), (select count(*) from idempotency_keys)"
    before = await execute(count)
    for age, left in (("23 hours", before), ("2 hours", [(0, 0)])):
        for table in ("generation_events", "idempotency_keys"):
            await execute(f"update {table} set created_at = created_at - interval '{age}'")
        await sweep.sweep(resources)
        assert await execute(count) == left
    for age, count_left in (("29 days", 3), ("2 days", 2)):
        await execute(f"update image_generations set completed_at = completed_at - interval '{age}'")
        await sweep.sweep(resources)
        assert await execute("select count(*) from image_generations") == [(count_left,)]
    assert [await alice.status(row) for row in (failed, canceled, done)] == [None, "canceled", "completed"]


async def test_a_failure_of_a_batch_goes_with_the_batch_once_all_of_it_is_old(
    resources: SweepResources, alice: Person, worker: Worker, execute: Execute
) -> None:
    failed, mixed = [await alice.create_batch(2) for _ in range(2)]
    for _ in range(3):
        await worker.fail(await worker.take())
    await worker.complete(await worker.take())
    left = "select id from batch_generations order by created_at"
    for age, ids in (("29 days", [failed, mixed]), ("2 days", [mixed])):
        await execute(f"update image_generations set completed_at = completed_at - interval '{age}'")
        await sweep.sweep(resources)
        assert await execute(left) == [(id,) for id in ids]
    assert await execute("select count(*) from image_generations") == [(2,)]


async def test_what_lies_outside_the_prefix_stays_and_holds_nothing_up(
    resources: SweepResources, execute: Execute, tmp_path: Path
) -> None:
    root = tmp_path / "folder"
    async with open_storage(FolderConfig(root, "earlier/")) as earlier, open_storage(FolderConfig(root, "now/")) as now:
        await put(earlier, ["earlier/fox.webp"], tmp_path)
        await put(now, ["now/fox.webp"], tmp_path)
        for key in ("earlier/fox.webp", "now/fox.webp"):
            await execute(f"insert into objects (key, kind, state) values ('{key}', 'image', 'deleted')")
        await sweep.tidy(replace(resources, storage=now))
        assert (await stored(earlier), await stored(now)) == ({"earlier/fox.webp"}, set())
    assert await execute("select key from objects") == []
