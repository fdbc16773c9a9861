"""Redis may drop or lose anything, and clients may be slow: nobody misses a change."""

import asyncio

from redis.asyncio import Redis
from redis.asyncio.client import Monitor

from tests.client import Client
from tests.conftest import House
from tests.live.conftest import Hand, Valkey
from tests.live.wires import MINE, ONE, Stream, create, delete, open_wire
from tests.services import Services

# What the API holds open.
HANG_UP = """select pg_terminate_backend(pid) from pg_stat_activity
    where usename = 'picture_app' and datname = '{}'"""


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


async def test_a_deletion_that_nobody_told_ends_the_stream(alice: Client, valkey: Valkey) -> None:
    fox = await create(alice)
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(ONE, id=fox)
        assert await stream.told(1) == ["Snapshot"]
        valkey.kill()
        await delete(alice, fox)
        await stream.completes()


async def test_postgres_may_hang_up(api: House, alice: Client, hand: Hand, services: Services) -> None:
    fox = await create(alice)
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(MINE)
        assert await stream.told(1) == ["Snapshot"]
        await services.execute(HANG_UP.format(api.settings.namespace))
        hand.tells = False
        await hand.complete(await hand.start(fox))
        assert await stream.told(2) == ["Started", "Completed"]


async def test_an_event_that_cannot_be_told_now_is_told_later(
    api: House, alice: Client, hand: Hand, services: Services
) -> None:
    row = await hand.start(await create(alice))
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(MINE)
        assert await stream.told(1) == ["Snapshot"]
        await services.execute(f"alter database {api.settings.namespace} connection limit 0")
        await services.execute(HANG_UP.format(api.settings.namespace))
        await hand.complete(row)  # its images would have to be read
        assert await wire.close_code() == 1013
    await services.execute(f"alter database {api.settings.namespace} connection limit -1")
    async with open_wire(alice) as wire:
        resumed = await wire.subscribe(MINE, after=stream.cursor)
        assert len((await resumed.event())["images"]) == 1


async def test_two_replicas_tell_the_same_whatever_breaks(api: House, alice: Client, valkey: Valkey) -> None:
    """Thirty at once, made here and canceled there, while Redis goes and comes back."""
    elsewhere = alice.at(await api.start_api())
    await create(alice)

    async def come_and_go(number: int) -> None:
        here, there = (alice, elsewhere) if number % 2 else (elsewhere, alice)
        await there.cancel(await create(here))

    async with open_wire(alice) as wire, open_wire(elsewhere) as other:
        streams = [await each.subscribe(MINE, progress=False) for each in (wire, other)]
        for stream in streams:
            assert await stream.told(1) == ["Snapshot"]
        both = asyncio.gather(*(seen(stream, 60) for stream in streams))
        await asyncio.gather(*(come_and_go(number) for number in range(10)))
        valkey.kill()
        await asyncio.gather(*(come_and_go(number) for number in range(10)))
        await valkey.start()
        await asyncio.gather(*(come_and_go(number) for number in range(10)))
        here, there = await both
    assert here == there
    assert len(set(here)) == 60
    assert all(here.index(("Queued", id)) < here.index(("Canceled", id)) for kind, id in here if kind == "Queued")


async def seen(stream: Stream, count: int) -> list[tuple[str, str]]:
    """What the next events tell of which generation."""
    events = [await stream.event() for _ in range(count)]
    return [(event["__typename"].removeprefix("Generation"), event["generation"]["id"]) for event in events]


async def test_nothing_is_kept_of_who_has_left(alice: Client, valkey: Valkey) -> None:
    async with Redis.from_url(valkey.url) as redis, redis.monitor() as monitor:
        async with open_wire(alice) as wire:
            await create(alice)
            await (await wire.subscribe(MINE)).event()
            assert len(await redis.pubsub_channels("*:events:*")) == 1
        await unsubscribed(monitor)
        assert await redis.pubsub_channels("*:events:*") == []


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
