"""Topics: hints between processes, which may be lost and are then made up for."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from db.database import Database
from db.queue import QueueRules
from tasks.events import Events, connect
from tasks.hub import Hub, open_hub
from tests.live.conftest import Valkey
from tests.services import Addresses


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    async with connect(valkey.url) as redis:
        yield redis


@pytest.fixture
async def hub(redis: Redis, addresses: Addresses) -> AsyncIterator[Hub]:
    """Small, and soon uneasy."""
    db = Database.connect(addresses.database_url)
    async with open_hub(redis, db, QueueRules(), namespace="topics", capacity=3, silence_seconds=0.2) as hub:
        yield hub
    await db.close()


@pytest.fixture
def events(redis: Redis) -> Events:
    """Another process' way out."""
    return Events(redis, "topics")


async def test_a_fact_reaches_all_who_listen_and_nobody_else(hub: Hub, events: Events) -> None:
    async with hub.topic("upload:1") as first, hub.topic("upload:1") as second, hub.topic("upload:2") as other:
        await events.announce("upload:1", {"status": "READY"})
        assert await first.next() == await second.next() == {"status": "READY"}
        assert await other.next() is None


async def test_silence_asks_for_a_look(hub: Hub) -> None:
    async with hub.topic("upload:1") as topic:
        assert [await topic.next() for _ in range(2)] == [None, None]


async def test_who_is_slow_loses_the_oldest(hub: Hub, events: Events) -> None:
    async with hub.topic("published") as slow, hub.topic("published") as quick:
        for number in range(5):
            await events.announce("published", {"id": number})
            assert await quick.next() == {"id": number}
        assert [(await slow.next() or {}).get("id") for _ in range(3)] == [2, 3, 4]


async def test_redis_may_die_under_a_topic(hub: Hub, events: Events, valkey: Valkey) -> None:
    async with hub.topic("upload:1") as topic:
        valkey.kill()
        await events.announce("upload:1", {"status": "LOST"})
        assert await topic.next() is None
        await valkey.start()
        async with asyncio.timeout(10):
            while await topic.next() is None:
                await events.announce("upload:1", {"status": "READY"})


async def test_what_is_no_fact_harms_nobody(hub: Hub, events: Events, redis: Redis) -> None:
    async with hub.topic("upload:1") as topic:
        await redis.publish("topics:topic:upload:1", b"[1, 2]")
        await redis.publish("topics:topic:upload:1", b"\xff")
        await events.announce("upload:1", {"status": "READY"})
        assert await topic.next() == {"status": "READY"}


async def test_a_topic_is_given_up_with_its_last_listener(hub: Hub, redis: Redis) -> None:
    async with hub.topic("upload:1"):
        assert await redis.pubsub_channels() == [b"topics:topic:upload:1"]
    async with hub.topic("upload:2"):  # one connection, in order: the first has been given up before
        assert await redis.pubsub_channels() == [b"topics:topic:upload:2"]
