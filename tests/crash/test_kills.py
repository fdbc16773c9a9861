"""kill -9 at the worst moments: every generation ends exactly once, and nobody misses a thing."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import aiohttp
import asyncpg
import pytest
from redis.asyncio import Redis

from tests.client import Client
from tests.crash.follower import Follower, follow
from tests.crash.up import Up, open_up

pytestmark = pytest.mark.timeout(180)
RESERVED = "select count(*) from image_generations where reserved_by is not null"
BLOCKED = "select exists (select from pg_locks where not granted and relation = 'images'::regclass)"


@pytest.fixture(scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    async with open_up(tmp_path_factory.mktemp("crash") / "home") as up:
        yield up


@pytest.fixture
async def alice(up: Up) -> Client:
    """Somebody new for each test."""
    return await up.person(f"alice-{uuid4()}")


@pytest.fixture
async def follower(up: Up, alice: Client) -> AsyncIterator[Follower]:
    async with follow(up, alice) as follower:
        yield follower


async def finish(up: Up, follower: Follower, *ids: str) -> None:
    """All of them are told to be completed, and the accounts are right."""
    for id in ids:
        await follower.until_heard("completed", id)
    await up.check_accounts()
    await follower.check(up)


async def paused(up: Up, alice: Client, prompt: str | None = None) -> str:
    """A generation whose run the engine has stopped in the middle of."""
    prompt = prompt or f"paused {uuid4()}"
    await up.pause_at(name=prompt, at_step=2, match={"prompt": prompt})
    fox = await alice.create_generation(prompt=prompt)
    await up.until_paused(prompt)
    return str(fox["id"])


async def test_the_worker_dies_while_sampling(up: Up, alice: Client, follower: Follower) -> None:
    id = await paused(up, alice)
    await up.kill("worker")
    await up.release()
    await finish(up, follower, id)


async def test_the_worker_dies_after_the_upload_and_before_the_commit(
    up: Up, alice: Client, follower: Follower
) -> None:
    id = await paused(up, alice)
    async with locked(up, "images"):
        await up.release()
        await up.wait_for(BLOCKED, True)
        await up.kill("worker")
    await finish(up, follower, id)


async def test_the_worker_dies_after_the_commit_and_before_the_acknowledgement(
    up: Up, alice: Client, follower: Follower
) -> None:
    prompt = f"committed {uuid4()}"
    id = await paused(up, alice, prompt)
    await up.kill("redis", signal.SIGSTOP)  # nothing is acknowledged, and nobody is told
    await up.release()
    await up.wait_for(f"select status from image_generations where prompt = '{prompt}'", "completed")
    await up.kill("worker")
    await up.kill("redis", signal.SIGCONT)
    await finish(up, follower, id)


async def test_the_api_dies_between_the_commit_and_the_wake_up(up: Up, alice: Client, follower: Follower) -> None:
    prompt, key = f"unheard of {uuid4()}", str(uuid4())
    stopped = await up.kill("redis", signal.SIGSTOP)  # whoever tells Redis of the commit waits
    creating = asyncio.create_task(alice.create(prompt=prompt, idempotencyKey=key))
    await up.wait_for(f"select count(*) from image_generations where prompt = '{prompt}'", 1)
    killed = await up.kill("api")
    with pytest.raises((aiohttp.ClientError, AssertionError)):
        await creating
    await up.kill("redis", signal.SIGCONT)
    assert stopped == up.pid("redis")
    await up.until_replaced("api", killed)
    again = await retried(alice, prompt=prompt, idempotencyKey=key)
    await finish(up, follower, again)


async def test_redis_dies_with_all_its_data(up: Up, alice: Client, follower: Follower) -> None:
    id = await paused(up, alice)
    for file in (up.home / "redis").rglob("appendonly*"):
        if file.is_file():
            file.unlink()
    killed = await up.kill("redis")
    waiting = await retried(alice, prompt="while Redis is away")
    await up.until_replaced("redis", killed)
    await up.release()
    await finish(up, follower, id, waiting)


async def test_redis_is_flushed(up: Up, alice: Client, follower: Follower) -> None:
    id = await paused(up, alice)
    waiting = await alice.create_generation(prompt="flushed away")
    async with Redis.from_url(up.url("redis_url")) as redis:
        await redis.flushall()
    await up.release()
    await finish(up, follower, id, waiting["id"])


async def test_postgres_dies(up: Up, alice: Client, follower: Follower) -> None:
    id = await paused(up, alice)
    killed = await up.kill("postgres")
    await up.release()
    await up.until_replaced("postgres", killed)
    await finish(up, follower, id)


async def test_the_engine_dies_in_the_middle_of_a_run(up: Up, alice: Client, follower: Follower) -> None:
    id = await paused(up, alice)
    await up.kill("engine")
    await finish(up, follower, id)
    assert ("failed", id) in follower.seen  # the first attempt was lost, and said so


async def test_the_api_dies_under_its_subscribers(up: Up, alice: Client, follower: Follower) -> None:
    id = await paused(up, alice)
    before = follower.connections
    await up.kill("api")
    await up.release()
    await finish(up, follower, id)
    assert follower.connections > before


async def test_the_scheduler_dies(up: Up, alice: Client, follower: Follower) -> None:
    killed = await up.kill("scheduler")
    fox = await alice.create_generation()
    await up.until_replaced("scheduler", killed)
    await finish(up, follower, fox["id"])


@asynccontextmanager
async def locked(up: Up, table: str) -> AsyncIterator[None]:
    """Nobody writes to a table meanwhile."""
    async with up.database() as connection, connection.transaction():
        await connection.execute(f"lock table {table} in share mode")
        yield


async def retried(person: Client, **input: object) -> str:
    """Create, as often as it takes: an app asks again while the server is away."""
    async with asyncio.timeout(30):
        while True:
            try:
                return str((await person.create_generation(**input))["id"])
            except (aiohttp.ClientError, asyncpg.PostgresError, OSError):
                await asyncio.sleep(0.05)
