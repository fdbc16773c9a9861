"""A connection breaks, a replica goes, a client comes back: it goes on where it was."""

from sqlalchemy import text

from tests.client import Client
from tests.conftest import House
from tests.live.conftest import Hand
from tests.live.wires import MINE, ONE, create, delete, open_wire

MANY = """
    with added as (
        insert into generation_events (user_id, seq, generation_id, kind, attempt)
        select user_id, 1 + n, id, 'queued', 0 from image_generations, generate_series(1, 1200) n
        returning seq
    ) update user_rate_limits set event_seq = (select max(seq) from added)"""


async def test_a_stream_goes_on_at_another_replica(api: House, alice: Client, hand: Hand) -> None:
    fox = await create(alice)
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(MINE)
        assert await stream.told(1) == ["Snapshot"]
    row = await hand.start(fox)
    await hand.complete(row)
    owl = await create(alice, "an owl")
    elsewhere = alice.at(await api.start_api())
    async with open_wire(elsewhere) as wire:
        resumed = await wire.subscribe(MINE, after=stream.cursor)
        assert await resumed.told(3) == ["Started", "Completed", "Queued"]
        await alice.cancel(owl)
        assert await resumed.told(1) == ["Canceled"]


async def test_a_start_that_breaks_in_its_middle_is_made_again(alice: Client) -> None:
    for prompt in ("a fox", "an owl", "a bat"):
        await create(alice, prompt)
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(MINE)
        await stream.told(2)
        again = await wire.subscribe(MINE, after=stream.cursor)
        assert await again.told(3) == ["Snapshot"] * 3
        resumed = await wire.subscribe(MINE, after=again.cursor)
        await create(alice, "a cat")
        assert await resumed.told(1) == ["Queued"]


async def test_a_cursor_of_nobody_here_gives_snapshots(alice: Client, bob: Client) -> None:
    await create(alice)
    async with open_wire(bob) as wire:
        await create(bob)
        theirs = await wire.subscribe(MINE)
        await theirs.event()
    async with open_wire(alice) as wire:
        for cursor in ("", "nonsense", "MSAgIA", theirs.cursor):
            assert await (await wire.subscribe(MINE, after=cursor)).told(1) == ["Snapshot"]


async def test_an_old_cursor_gives_snapshots_unless_nothing_is_behind_it(api: House, alice: Client) -> None:
    fox = await create(alice)
    await alice.cancel(fox)
    async with open_wire(alice.at(await api.start_api(event_hours=1e-9))) as wire:
        stream = await wire.subscribe(ONE, id=fox)
        assert await stream.told(1) == ["Snapshot"]
        await (await wire.subscribe(ONE, id=fox, after=stream.cursor)).completes()
        await create(alice)
        again = await wire.subscribe(ONE, id=fox, after=stream.cursor)
        assert await again.told(1) == ["Snapshot"]
        await again.completes()


async def test_what_has_ended_meanwhile_completes(alice: Client, hand: Hand) -> None:
    fox = await create(alice)
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(ONE, id=fox)
        await stream.event()
    await hand.complete(await hand.start(fox))
    async with open_wire(alice) as wire:
        resumed = await wire.subscribe(ONE, id=fox, after=stream.cursor)
        assert await resumed.told(2) == ["Started", "Completed"]
        await resumed.completes()
        await (await wire.subscribe(ONE, id=fox, after=resumed.cursor)).completes()


async def test_however_much_was_missed_all_of_it_comes(api: House, alice: Client) -> None:
    await create(alice)
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(MINE)
        await stream.event()
    async with (await api.database()).as_service() as session:
        await session.execute(text(MANY))
    async with open_wire(alice) as wire:
        resumed = await wire.subscribe(MINE, after=stream.cursor)
        cursors = [(await resumed.event())["cursor"] for _ in range(1200)]
        await create(alice)
        cursors.append((await resumed.event())["cursor"])
    assert len(set(cursors)) == 1201


async def test_what_is_deleted_meanwhile_is_left_out(alice: Client) -> None:
    fox, owl = await create(alice, "a fox"), await create(alice, "an owl")
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(MINE)
        await stream.told(2)
    await delete(alice, fox)
    await alice.cancel(owl)
    async with open_wire(alice) as wire:
        resumed = await wire.subscribe(MINE, after=stream.cursor)
        event = await resumed.event()
        assert (event["__typename"], event["generation"]["id"]) == ("GenerationCanceled", owl)
        await (await wire.subscribe(ONE, id=fox, after=stream.cursor)).completes()
