"""What watching costs: statements are counted where Postgres would see them."""

from typing import Any

from tests.client import Client
from tests.conftest import House
from tests.live.conftest import Hand
from tests.live.wires import Stream, create, open_wire

PLAIN = """subscription ($id: ID!) { generationEvents(id: $id) { __typename cursor at
  generation { id status stage progress prompt width height seed attempt createdAt startedAt } } }"""
SILENT: dict[str, Any] = {"silence_seconds": 60, "queue_moved_seconds": 60}


async def test_an_event_costs_no_statement(api: House, alice: Client, hand: Hand, statements: list[str]) -> None:
    alice = alice.at(await api.start_api(**SILENT))
    fox = await create(alice)
    async with open_wire(alice) as wire:
        streams: list[Stream] = [await wire.subscribe(PLAIN, id=fox) for _ in range(3)]
        for stream in streams:
            assert await stream.told(1) == ["Snapshot"]
        statements.clear()
        row = await hand.start(fox)
        await hand.progress(row, 0.5)
        for stream in streams:
            assert await stream.told(2) == ["Started", "Progressed"]
        await hand.complete(row)
        for stream in streams:
            assert await stream.told(1) == ["Completed"]
    mine = [statement for statement in statements if "event_heads" not in statement and "places" not in statement]
    assert [statement for statement in mine if "set_config" not in statement] == []


async def test_a_place_in_the_queue_is_looked_up_once_for_all(
    api: House, alice: Client, hand: Hand, statements: list[str]
) -> None:
    alice = alice.at(await api.start_api(**SILENT))
    fox = await create(alice)
    row = await hand.start(fox)
    async with open_wire(alice) as wire:
        streams = [await wire.subscribe(PLAIN, id=fox) for _ in range(20)]
        for stream in streams:
            assert await stream.told(1) == ["Snapshot"]
        statements.clear()
        await hand.fail(row, retries=True)
        for stream in streams:
            assert await stream.told(2) == ["Failed", "Queued"]
    assert len([statement for statement in statements if "places" in statement]) == 1
