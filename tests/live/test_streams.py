"""Subscriptions, as clients see them."""

from tests.client import Client
from tests.live.conftest import Hand
from tests.live.wires import MINE, ONE, create, delete, open_wire


async def test_a_stream_begins_with_all_that_has_not_ended(alice: Client) -> None:
    fox, owl = await create(alice, "a fox"), await create(alice, "an owl")
    await alice.cancel(await create(alice, "a bat"))
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(MINE)
        first, last = await stream.event(), await stream.event()
    assert [first["generation"]["id"], last["generation"]["id"]] == [fox, owl]
    assert {first["__typename"], last["__typename"]} == {"GenerationSnapshot"}
    assert first["cursor"] != last["cursor"]


async def test_a_generation_is_told_to_its_end(alice: Client, hand: Hand) -> None:
    async with open_wire(alice) as wire:
        fox = await create(alice)
        stream = await wire.subscribe(ONE, id=fox)
        assert await stream.told(1) == ["Snapshot"]
        row = await hand.start(fox)
        started = await stream.event()
        assert (started["__typename"], started["generation"]["status"]) == ("GenerationStarted", "PROCESSING")
        await hand.progress(row, 0.4)
        progressed = await stream.event()
        assert (progressed["progress"], progressed["now"], progressed["step"]) == (0.4, "SAMPLING", 4)
        assert (progressed["generation"]["progress"], progressed["generation"]["stage"]) == (0.4, "SAMPLING")
        assert progressed["cursor"] == started["cursor"]
        await hand.complete(row)
        completed = await stream.event()
        assert (completed["__typename"], len(completed["images"])) == ("GenerationCompleted", 1)
        assert (completed["generation"]["status"], completed["generation"]["progress"]) == ("COMPLETED", 1)
        await stream.completes()


async def test_a_failed_attempt_is_followed_by_another(alice: Client, hand: Hand) -> None:
    fox = await create(alice)
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(ONE, id=fox)
        await hand.fail(await hand.start(fox), retries=True)
        assert await stream.told(2) == ["Snapshot", "Started"]
        failed, queued = await stream.event(), await stream.event()
        assert (failed["willRetry"], failed["failure"]["code"]) == (True, "NODE_ERROR")
        assert (queued["__typename"], queued["generation"]["attempt"]) == ("GenerationQueued", 1)
        await hand.fail(await hand.start(fox))
        assert await stream.told(1) == ["Started"]
        assert (await stream.event())["willRetry"] is False
        await stream.completes()


async def test_a_generation_that_has_ended_is_shown_once(alice: Client) -> None:
    fox = await create(alice)
    await alice.cancel(fox)
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(ONE, id=fox)
        assert (await stream.event())["generation"]["status"] == "CANCELED"
        await stream.completes()


async def test_what_is_not_there_is_an_error(alice: Client, bob: Client) -> None:
    fox = await create(alice)
    async with open_wire(bob) as wire:
        for id in (fox, "nonsense", "R2VuZXJhdGlvbjp4"):
            error = await (await wire.subscribe(ONE, id=id)).error()
            assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_nobody_watches_nothing(nobody: Client) -> None:
    async with open_wire(nobody) as wire:
        for stream in (await wire.subscribe(MINE), await wire.subscribe(ONE, id="x")):
            assert (await stream.error())["extensions"]["code"] == "UNAUTHENTICATED"


async def test_previews_come_only_to_who_asked(alice: Client, hand: Hand) -> None:
    row = await hand.start(await create(alice))
    async with open_wire(alice) as wire:
        seeing, plain, quiet = [
            await wire.subscribe(MINE, previews=previews, progress=progress)
            for previews, progress in ((True, True), (False, True), (False, False))
        ]
        for stream in (seeing, plain, quiet):
            assert await stream.told(1) == ["Snapshot"]
        await hand.preview(row, b"pixels")
        assert (await seeing.event())["dataUrl"] == "data:image/jpeg;base64,cGl4ZWxz"
        await hand.progress(row, 0.5)
        await seeing.until("Progressed", progress=0.5)
        assert await plain.told(1) == ["Progressed"]
        await hand.complete(row)
        for stream in (seeing, plain, quiet):
            assert await stream.told(1) == ["Completed"]


async def test_of_progress_the_latest_arrives_and_few_of_many(alice: Client, hand: Hand) -> None:
    row = await hand.start(await create(alice))
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(MINE)
        assert await stream.told(1) == ["Snapshot"]
        for percent in range(1, 51):
            await hand.progress(row, percent / 100)
        assert (await stream.event())["progress"] == 0.01
        assert (await stream.event())["progress"] == 0.5


async def test_who_waits_hears_of_moving_up(alice: Client, bob: Client, hand: Hand) -> None:
    await hand.is_up()
    first, second = await create(bob), await create(alice)
    async with open_wire(alice) as wire:
        stream, quiet = await wire.subscribe(ONE, id=second), await wire.subscribe(ONE, id=second, progress=False)
        assert await stream.told(1) == await quiet.told(1) == ["Snapshot"]
        await bob.cancel(first)
        moved = await stream.event()
        assert (moved["__typename"], moved["queuePosition"]) == ("GenerationQueueMoved", 1)
        await alice.cancel(second)
        assert await stream.told(1) == await quiet.told(1) == ["Canceled"]


async def test_what_is_deleted_ends_its_stream(alice: Client) -> None:
    fox = await create(alice)
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(ONE, id=fox)
        assert await stream.told(1) == ["Snapshot"]
        await delete(alice, fox)
        assert await stream.told(1) == ["Canceled"]
        await stream.completes()
