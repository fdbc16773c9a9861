"""What is told at once and what waits for the stream's task: one order, and nothing lost between them."""

import asyncio
from collections.abc import Iterator
from typing import Any

from redis.asyncio import Redis

from db import records
from db.enums import EventKind, GenerationStage, GenerationStatus
from db.events import Changed
from db.tables import EventRow, GenerationRow
from tasks import news
from tasks.follow import Cursor
from tasks.listener import Heard, Listener, Wish
from tests.client import Client
from tests.conftest import House
from tests.live.conftest import Hand, Valkey
from tests.live.wires import MINE, Stream, create, open_wire

PROGRESS = (0.1, 0.5, 0.9)
LAST = 1.0


def change(row: GenerationRow, seq: int, *kinds: EventKind) -> bytes:
    """What a worker would say of what it did to `row`: the numbers behind `seq`."""
    events = (
        EventRow(
            user_id=row.user_id,
            seq=seq + n,
            generation_id=row.id,
            kind=kind,
            attempt=row.attempt,
            will_retry=True,
            failure=None,
            created_at=news.now(),
        )
        for n, kind in enumerate(kinds, 1)
    )
    return news.encode_changes(Changed(row, tuple(events)))


def progress(row: GenerationRow, part: float) -> bytes:
    """And how far it is."""
    return news.encode_progress(row, GenerationStage.SAMPLING, part)


def attempts(row: GenerationRow, seq: int, count: int) -> Iterator[bytes]:
    """One after the other; a few go back to the queue, whose place there has to be looked up before it is told."""
    for number in range(row.attempt + 1, row.attempt + 1 + count):
        if number % 5 == 0:
            yield change(records.copy(row, status=GenerationStatus.QUEUED), seq, EventKind.FAILED, EventKind.QUEUED)
            seq += 2
        row = records.copy(row, attempt=number)
        yield change(row, seq, EventKind.STARTED)
        seq += 1
        yield from (progress(row, part) for part in PROGRESS)
    yield progress(row, LAST)


async def until_last(stream: Stream) -> list[dict[str, Any]]:
    """All events up to the last of some attempts."""
    events = [await stream.event()]
    while events[-1].get("progress") != LAST:
        events.append(await stream.event())
    return events


def seq_of(cursor: str | None, row: GenerationRow) -> int:
    """The number that a cursor holds."""
    place = Cursor.parse(cursor or "", row.user_id)
    assert place
    return place.seq


async def test_however_fast_they_come_events_are_in_order(
    api: House, alice: Client, hand: Hand, valkey: Valkey
) -> None:
    row, told = await hand.start(await create(alice)), []
    async with open_wire(alice) as wire, Redis.from_url(valkey.url) as redis:
        stream = await wire.subscribe(MINE)
        assert await stream.told(1) == ["Snapshot"]
        first = seq = seq_of(stream.cursor, row)
        for _ in range(10):
            pipeline = redis.pipeline(transaction=False)
            for message in attempts(row, seq, 20):
                pipeline.publish(news.channel(api.settings.namespace, row.user_id), message)
            await pipeline.execute()
            told += await until_last(stream)
            row, seq = records.copy(row, attempt=row.attempt + 20), seq_of(stream.cursor, row)
    changes = [event for event in told if "progress" not in event]
    assert [seq_of(event["cursor"], row) for event in changes] == list(range(first + 1, seq + 1))
    assert len(changes) == 200 + 2 * 40
    parts = [(seq_of(event["cursor"], row), event["generation"]["attempt"], event.get("progress", 0)) for event in told]
    assert parts == sorted(parts), "progress is of the attempt that started last, and goes on"
    assert len(told) > len(changes) + 10, "of progress more is told than the last"


async def test_who_cannot_take_it_now_gets_it_later(api: House, alice: Client, hand: Hand, valkey: Valkey) -> None:
    alice = alice.at(await api.start_api(send_seconds=60))
    row = await hand.start(await create(alice))
    channel = news.channel(api.settings.namespace, row.user_id)
    async with open_wire(alice) as wire, open_wire(alice) as quick, Redis.from_url(valkey.url) as redis:
        stream, other = await wire.subscribe(MINE, previews=True), await quick.subscribe(MINE)
        assert await stream.told(1) == await other.told(1) == ["Snapshot"]
        seq, reading = seq_of(stream.cursor, row), wire.stop_reading()
        for _ in range(60):  # 40 MB: more than the buffers on the way take in
            await redis.publish(channel, news.encode_preview(row, bytes(500_000)))
        for message in attempts(row, seq, 3):
            await redis.publish(channel, message)
        assert [event["__typename"] for event in await until_last(other)][-1] == "GenerationProgressed"
        reading.resume_reading()
        events = await until_last(stream)
    kinds = [event["__typename"].removeprefix("Generation") for event in events]
    assert 0 < kinds.count("Previewed") < 60
    assert kinds.count("Started") == 3
    seqs = [seq_of(event["cursor"], row) for event in events]
    assert seqs == sorted(seqs)
    assert seqs[-1] == seq + 3


async def test_what_goes_wrong_at_once_is_left_to_the_task(alice: Client, hand: Hand) -> None:
    row = await hand.start(await create(alice))
    listener = Listener(row.user_id, Wish(), capacity=10)
    listener.begin(2, [row])

    def tell(heard: Heard) -> bool:
        raise RuntimeError

    waiting = asyncio.create_task(listener.next(tell))
    await asyncio.sleep(0)  # now it waits
    for part in PROGRESS:
        listener.hear(news.decode(progress(row, part)))
    heard = [await waiting, await listener.next(tell)]
    assert [each.progress for each in heard if isinstance(each, news.Progress)] == [PROGRESS[0], PROGRESS[-1]]
