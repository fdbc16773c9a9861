"""Checking uploads where something goes wrong: it runs twice, it dies, what it needs is away."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from db import objects, receiving, uploads
from db.claims import Claims
from db.database import Database
from db.errors import SupersededError
from db.limits import Allowance
from db.receiving import Check, ReceivedPicture
from db.uploads import NewUpload
from storage.anew import Making
from storage.config import FolderConfig
from storage.keys import upload_key
from storage.objects import Storage, open_storage
from storage.scanning import Scanner
from tasks.events import Events
from tasks.intake import Intake
from tasks.process_upload import UploadResources, UploadRules, process
from tasks.queue import Queue
from tests.clamd import CLAMD, MARK, SIGTOOL, free_port, open_clamd
from tests.services import Addresses, Services
from tests.storage import hostile

PNG = hostile.saved(hostile.small())
ALICE, BOB = UUID(int=1), UUID(int=2)
RULES = UploadRules(lease_seconds=2, heartbeat_seconds=0.3, poll_seconds=0.1, trouble_seconds=0.2)
needs_clamd = pytest.mark.skipif(
    not (CLAMD and SIGTOOL) and not (os.environ.get("CI") and os.getuid() == 0), reason="clamd is not installed"
)
PICTURE = ReceivedPicture("a", "b", "c", "webp", 10, 1, 1, None)


class Room:
    """What checking works with, and somebody who uploads."""

    def __init__(self, resources: UploadResources, storage: Storage, tmp_path: Path) -> None:
        self.resources = resources
        self.storage = storage
        self._tmp_path = tmp_path

    async def received(self, data: bytes = PNG, owner: UUID = ALICE) -> UUID:
        """An upload whose bytes are there, to be checked."""
        id, claims = uuid4(), Claims(sub=owner, role="authenticated")
        new = NewUpload(id, "fox.png", "image/png", len(data), upload_key(self.storage.prefix, id), 24)
        source = self._tmp_path / "sent"
        source.write_bytes(data)
        await self.storage.put(new.object_key, source, "image/png")
        async with self.resources.db.as_user(claims) as session:
            await uploads.create(session, owner, new, Allowance())
            assert await uploads.complete(session, id, put_seconds=60, hours=24)
        return id

    async def take(self) -> Check:
        async with self.resources.db.as_service() as session:
            check = await receiving.take(session, self.resources.rules.lease_seconds)
        assert check
        return check

    async def select(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.resources.db.as_service() as session:
            connection: Any = await session.connection()
            result = await connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []

    async def status(self, id: UUID) -> tuple[Any, ...]:
        """Where it stands, and how often it was tried."""
        return (await self.select(f"select status, attempts, error_code from uploads where id = '{id}'"))[0]

    async def until(self, id: UUID, is_so: Callable[[tuple[Any, ...]], bool], seconds: float = 20) -> tuple[Any, ...]:
        """Its status once that is so, while an intake runs; fails saying what it saw last."""
        intake = asyncio.create_task(Intake(self.resources).run())
        deadline = time.monotonic() + seconds
        try:
            while not is_so(seen := await self.status(id)):
                assert time.monotonic() < deadline, f"it is {seen}"
                await asyncio.sleep(0.05)
            return seen
        finally:
            intake.cancel()
            await asyncio.gather(intake, return_exceptions=True)

    async def until_ended(self, id: UUID) -> tuple[Any, ...]:
        """How it ends."""
        return await self.until(id, lambda seen: seen[0] not in {"pending", "processing"})


@pytest.fixture
async def room(addresses: Addresses, services: Services, tmp_path: Path) -> AsyncIterator[Room]:
    # The API's login makes them and the worker's checks them: policies are for tests of their own.
    db = Database.connect(addresses.database_worker_url)
    namespace = addresses.database_url.rsplit("/", 1)[1]
    redis, queue = Redis.from_url(services.redis_url), Queue.connect(services.redis_url, namespace)
    async with open_storage(FolderConfig(tmp_path / "storage", "ours/")) as storage:
        async with db.as_service() as session:
            for id in (ALICE, BOB):
                await session.execute(text("insert into profiles (id) values (:id)"), {"id": id})
                await session.execute(text("insert into user_rate_limits (user_id) values (:id)"), {"id": id})
        resources = UploadResources(db, Events(redis, namespace), queue, storage, tmp_path / "work", RULES)
        yield Room(resources, storage, tmp_path)
    await queue.close()
    await redis.aclose()
    await db.close()


async def test_many_who_check_make_one_image_of_each(room: Room) -> None:
    ids = [await room.received() for _ in range(3)]
    intakes = [asyncio.create_task(Intake(room.resources).run()) for _ in range(3)]
    for id in ids:
        assert await room.until_ended(id) == ("ready", 1, None)
    for intake in intakes:
        intake.cancel()
    await asyncio.gather(*intakes, return_exceptions=True)
    assert await room.select("select count(*) from images") == [(3,)]
    used = await room.select("select storage_bytes_used, upload_bytes from user_rate_limits order by user_id limit 1")
    assert used == [((await room.select("select sum(file_size) from images"))[0][0], 0)]


async def test_who_was_overtaken_changes_nothing(room: Room) -> None:
    id = await room.received()
    late = await room.take()
    await room.select("update uploads set due_at = now()")
    newer = await room.take()
    assert (late.id, late.number, newer.number) == (id, 1, 2)
    async with room.resources.db.as_service() as session:
        for act in (
            receiving.extend(session, late, 10),
            receiving.announce(session, late, ["ours/x"]),
            receiving.ready(session, late, PICTURE, 10**9),
            receiving.reject(session, late, "INVALID", "No."),
        ):
            with pytest.raises(SupersededError):
                await act
        await receiving.put_off(session, late, 100, is_our_fault=True)
    await process(room.resources, late)
    assert await room.status(id) == ("processing", 2, None)
    await process(room.resources, newer)
    await process(room.resources, newer)
    assert await room.status(id) == ("ready", 2, None)
    assert await room.select("select count(*) from images") == [(1,)]


async def test_what_a_dead_process_had_is_taken_when_its_lease_is_over(room: Room) -> None:
    id = await room.received()
    await room.take()  # and nothing more is heard of it
    assert await room.until_ended(id) == ("ready", 2, None)


async def test_who_is_told_to_stop_gives_back_what_they_have(room: Room) -> None:
    id = await room.received(hostile.bomb())
    working = asyncio.create_task(process(room.resources, await room.take()))
    await asyncio.wait({working}, timeout=0.3)  # it decodes by now; what it is at, must not matter
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert await room.status(id) == ("processing", 0, None)
    assert list(room.resources.folder.iterdir()) == []
    assert await room.select("select due_at <= now() from uploads") == [(True,)]


async def test_what_a_dead_attempt_has_stored_is_removed_later_and_nothing_else(room: Room) -> None:
    id = await room.received()
    dead = await room.take()
    async with room.resources.db.as_service() as session:
        await receiving.announce(session, dead, [f"ours/uploads/{id}/{dead.attempt_id}/full.webp"])
        await objects.abandon(session, 0)
        assert await objects.deleted(session, 10) == []  # it is still somebody's
    assert await room.until_ended(id) == ("ready", 2, None)
    async with room.resources.db.as_service() as session:
        await objects.abandon(session, 0)
        gone = set(await objects.deleted(session, 10))
    assert gone == {dead.object_key, f"ours/uploads/{id}/{dead.attempt_id}/full.webp"}
    assert await room.select("select count(*) from objects where state = 'kept'") == [(3,)]


async def test_a_file_that_takes_too_long_is_rejected_at_once(room: Room) -> None:
    room.resources = replace(room.resources, rules=replace(RULES, making=Making(seconds=1)))
    id = await room.received(hostile.busy())
    assert await room.until_ended(id) == ("rejected", 1, "invalid")


async def test_a_file_that_is_the_end_of_whoever_reads_it_is_rejected_at_last(room: Room) -> None:
    id = await room.received(hostile.busy())

    async def kill_readers() -> None:
        while True:
            for child in psutil.Process().children():
                with suppress(psutil.NoSuchProcess):
                    if "storage.anew" in child.cmdline():
                        child.kill()
            await asyncio.sleep(0.05)

    killing = asyncio.create_task(kill_readers())
    assert await room.until_ended(id) == ("rejected", 4, "invalid")
    killing.cancel()


async def test_nobody_s_many_keep_others_waiting(room: Room) -> None:
    many = [await room.received() for _ in range(3)]
    few = await room.received(owner=BOB)
    taken = [(await room.take()).id for _ in range(4)]
    assert taken == [many[0], few, *many[1:]]


async def test_bytes_that_have_gone_are_said_to_be(room: Room) -> None:
    id = await room.received()
    await room.storage.delete([upload_key(room.storage.prefix, id)])
    assert await room.until_ended(id) == ("rejected", 1, "invalid")


async def test_a_scanner_that_is_away_is_waited_for(room: Room, tmp_path: Path) -> None:
    port = free_port()
    room.resources = replace(room.resources, scanner=Scanner(f"tcp://127.0.0.1:{port}", 5))
    id = await room.received()
    seen = await room.until(id, lambda seen: seen[1] == 0)
    assert seen == ("processing", 0, None)
    if CLAMD and SIGTOOL:
        async with open_clamd(tmp_path / "clamd", port):
            assert await room.until_ended(id) == ("ready", 1, None)


@needs_clamd
async def test_what_the_scanner_finds_is_rejected(room: Room, tmp_path: Path) -> None:
    async with open_clamd(tmp_path / "clamd", free_port()) as address:
        room.resources = replace(room.resources, scanner=Scanner(address))
        for data, ends_as in (
            (hostile.EICAR, ("rejected", 1, "blocked_content")),
            (PNG + MARK, ("rejected", 1, "blocked_content")),
            (hostile.HTML, ("rejected", 1, "invalid")),
            (PNG, ("ready", 1, None)),
            (hostile.saved(hostile.small(), "WEBP") + os.urandom(20_000_000), ("ready", 1, None)),
        ):
            assert await room.until_ended(await room.received(data)) == ends_as
    messages = await room.select("select distinct error_message from uploads where error_code = 'blocked_content'")
    assert messages == [("The virus scanner has found something in the file.",)]
