"""One database a test: as the API sees it, as workers do, and as its admin."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from sqlalchemy import CursorResult, text

from db import models
from db.database import Database
from db.tables import ModelRow
from storage.objects import Storage, open_storage
from tasks.events import Events
from tasks.failures import RetryPolicy
from tasks.queue import Queue
from tasks.resources import SweepResources, SweepRules
from tests.db.people import People, Worker
from tests.s3 import open_rclone
from tests.services import Addresses, Services

RULES = SweepRules(retry=RetryPolicy(max_retries=2, pauses_seconds=(0,)))
OTHERS = "somebody-elses/fox.webp"


class Execute:
    """A statement as the worker's login, to look or to make time pass."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def __call__(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        """Its rows."""
        async with self._db.as_service() as session:
            result = cast("CursorResult[Any]", await session.execute(text(statement), values))
            return [tuple(row) for row in result] if result.returns_rows else []


@pytest.fixture
async def api_login(addresses: Addresses) -> AsyncIterator[Database]:
    """Bound by row-level security."""
    db = Database.connect(addresses.database_url)
    yield db
    await db.close()


@pytest.fixture
async def service(addresses: Addresses) -> AsyncIterator[Database]:
    """The worker's login, which sees everything that jobs need."""
    db = Database.connect(addresses.database_worker_url)
    yield db
    await db.close()


@pytest.fixture
async def catalogue(service: Database) -> Sequence[ModelRow]:
    async with service.as_service() as session:
        return await models.page(session)


@pytest.fixture
def people(api_login: Database, catalogue: Sequence[ModelRow]) -> People:
    return People(api_login, catalogue[0])


@pytest.fixture
def worker(service: Database, catalogue: Sequence[ModelRow]) -> Worker:
    """One that can run every model."""
    return Worker(service, [model.id for model in catalogue])


@pytest.fixture
def execute(service: Database) -> Execute:
    return Execute(service)


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """A bucket that is not ours alone, as the files in it."""
    (tmp_path / "s3" / "pictures" / "somebody-elses").mkdir(parents=True)
    (tmp_path / "s3" / "pictures" / OTHERS).write_bytes(b"not ours")
    return tmp_path / "s3" / "pictures"


@pytest.fixture
async def storage(bucket: Path) -> AsyncIterator[Storage]:
    async with open_rclone(bucket.parent, prefix="") as config, open_storage(config) as storage:
        yield storage


@pytest.fixture
async def resources(services: Services, service: Database, storage: Storage) -> AsyncIterator[SweepResources]:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(Redis.from_url(services.redis_url))
        queue = Queue.connect(services.redis_url, "sweep")
        stack.push_async_callback(queue.close)
        yield SweepResources(service, Events(redis, "sweep"), queue, storage, RULES)
