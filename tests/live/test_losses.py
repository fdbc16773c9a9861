"""Redis may drop or lose anything, and clients may be slow: nobody misses a change."""

from redis.asyncio import Redis
from redis.asyncio.client import Monitor

from tests.client import Client
from tests.conftest import House
from tests.live.conftest import Hand, Valkey
from tests.live.wires import MINE, ONE, create, open_wire


async def unsubscribed(monitor: Monitor) -> None:
    """Once the API has told Redis that nobody here listens any more."""
    async for command in monitor.listen():
        if command["command"].startswith("UNSUBSCRIBE"):
            return


async def test_a_change_that_nobody_told_is_found(alice: Client, hand: Hand) -> None:
    fox = await create(alice)
    async with open_wire(alice) as wire:
        stream, one = await wire.subscribe(MINE), await wire.subscribe(ONE, id=fox)
        assert await stream.told(1) == await one.told(1) == ["Snapshot"]
        hand.tells = False
        await hand.complete(await hand.start(fox))
        assert await stream.told(2) == await one.told(2) == ["Started", "Completed"]
        await one.completes()


async def test_a_change_that_was_lost_comes_before_the_next(alice: Client, hand: Hand) -> None:
    fox = await create(alice)
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(MINE)
        assert await stream.told(1) == ["Snapshot"]
        hand.tells = False
        row = await hand.start(fox)
        hand.tells = True
        await hand.fail(row, retries=True)
        assert await stream.told(3) == ["Started", "Failed", "Queued"]


async def test_redis_may_forget_everything(alice: Client, hand: Hand, valkey: Valkey) -> None:
    fox = await create(alice)
    async with open_wire(alice) as wire, Redis.from_url(valkey.url) as redis:
        stream = await wire.subscribe(MINE)
        assert await stream.told(1) == ["Snapshot"]
        await redis.flushall()
        await hand.complete(await hand.start(fox))
        assert await stream.told(2) == ["Started", "Completed"]


async def test_redis_may_die_and_come_back(alice: Client, hand: Hand, valkey: Valkey) -> None:
    fox = await create(alice)
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(MINE)
        assert await stream.told(1) == ["Snapshot"]
        valkey.kill()
        row = await hand.start(fox)
        assert await stream.told(1) == ["Started"]
        newcomer = await wire.subscribe(MINE)
        assert await newcomer.told(1) == ["Snapshot"]
        await valkey.start()
        await hand.complete(row)
        assert await stream.told(1) == await newcomer.told(1) == ["Completed"]


async def test_nothing_is_kept_of_who_has_left(alice: Client, valkey: Valkey) -> None:
    async with Redis.from_url(valkey.url) as redis, redis.monitor() as monitor:
        async with open_wire(alice) as wire:
            await create(alice)
            await (await wire.subscribe(MINE)).event()
            assert len(await redis.pubsub_channels()) == 1
        await unsubscribed(monitor)
        assert await redis.pubsub_channels() == []


async def test_a_slow_reader_is_let_go_and_resumes(api: House, alice: Client, hand: Hand, valkey: Valkey) -> None:
    fox = await create(alice)
    for _ in range(10):
        await create(alice, "x" * 4000)
    fat = MINE.replace("cursor at", "cursor at more: generation {" + " ".join(f"p{n}: prompt" for n in range(40)) + "}")
    async with open_wire(alice) as wire, Redis.from_url(valkey.url) as redis, redis.monitor() as monitor:
        stream = await wire.subscribe(MINE)
        await stream.told(11)
        reading = wire.stop_reading()
        for _ in range(20):  # 30 MB: more than the buffers on the way take in
            await wire.subscribe(fat)
        await unsubscribed(monitor)
        reading.resume_reading()
        assert await wire.close_code() == 1013
    await hand.start(fox)
    async with open_wire(alice) as wire:
        resumed = await wire.subscribe(MINE, after=stream.cursor)
        assert await resumed.told(1) == ["Started"]
