"""The protocol, frame by frame: each fault has its close code."""

from contextlib import AsyncExitStack
from dataclasses import replace

import aiohttp
import pytest

from tests.client import Client
from tests.conftest import House, token
from tests.live.wires import MINE, create, open_wire

INIT = {"type": "connection_init"}


def subscribe(**payload: object) -> dict[str, object]:
    return {"id": "1", "type": "subscribe", "payload": payload}


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["[]"], 4400),
        (["null"], 4400),
        (["{"], 4400),
        (["[" * 100_000], 4400),
        ([b"{}"], 4400),
        ([{}], 4400),
        ([{"type": 5}], 4400),
        ([{"type": "hello"}], 4400),
        ([{"type": "connection_init", "payload": []}], 4400),
        ([INIT, subscribe(query=5)], 4400),
        ([INIT, subscribe()], 4400),
        ([INIT, subscribe(query="{ __typename }", variables=[])], 4400),
        ([INIT, {"type": "subscribe", "payload": {"query": "{ __typename }"}}], 4400),
        ([INIT, {"id": "1", "type": "subscribe"}], 4400),
        ([INIT, {"type": "complete"}], 4400),
        ([], 4408),
        ([{"type": "ping"}], 4408),
        ([subscribe(query="{ __typename }")], 4401),
        ([{"type": "connection_init", "payload": {"Authorization": "Bearer x.y.z"}}], 4401),
        ([{"type": "connection_init", "payload": {"authorization": "x"}}], 4401),
        ([{"type": "connection_init", "payload": {"Authorization": 5}}], 4401),
        ([INIT, INIT], 4429),
        (["x" * 2_000_000], 1009),
    ],
)
async def test_a_fault_closes_with_its_code(nobody: Client, frames: list[object], code: int) -> None:
    async with open_wire(nobody, is_silent=True) as wire:
        for frame in frames:
            await wire.say(frame)
        assert await wire.close_code() == code


async def test_an_id_in_use_is_4409(alice: Client) -> None:
    async with open_wire(alice) as wire:
        for _ in range(2):
            await wire.send(subscribe(query=MINE))
        assert await wire.close_code() == 4409


async def test_a_stream_ends_with_its_token(alice: Client) -> None:
    assert alice.sub
    async with open_wire(alice, token=token(alice.sub, ttl_seconds=1)) as wire:
        await wire.subscribe(MINE)
        assert await wire.close_code() == 4403


async def test_a_token_that_has_ended_asks_for_a_new_one(alice: Client) -> None:
    assert alice.sub
    old = f"Bearer {token(alice.sub, ttl_seconds=-60)}"
    async with open_wire(alice, is_silent=True) as wire:
        await wire.send({"type": "connection_init", "payload": {"Authorization": old}})
        assert await wire.close_code() == 4403


async def test_a_socket_without_a_token_ends_too(api: House, nobody: Client) -> None:
    async with open_wire(nobody.at(await api.start_api(stream_seconds=0.3))) as wire:
        assert await wire.close_code() == 4403


async def test_a_server_that_goes_says_so(api: House, alice: Client) -> None:
    async with AsyncExitStack() as stack:
        passing = await replace(api, stack=stack, apis=[]).start_api()
        async with open_wire(alice.at(passing)) as wire:
            await create(alice)
            assert await (await wire.subscribe(MINE)).told(1) == ["Snapshot"]
            await stack.aclose()
            assert await wire.close_code() == 1012


async def test_a_document_that_is_wrong_harms_no_other(alice: Client) -> None:
    await create(alice)
    async with open_wire(alice) as wire:
        stream = await wire.subscribe(MINE)
        for document in ("{ nope", "{ nope }", "subscription { nope }", "{ a } { b }"):
            assert (await (await wire.subscribe(document)).error())["extensions"]["code"] == "BAD_USER_INPUT"
        assert await stream.told(1) == ["Snapshot"]


async def test_queries_and_mutations_are_answered_too(alice: Client) -> None:
    async with open_wire(alice) as wire:
        await wire.send({"type": "ping", "payload": {"n": 1}})
        assert await wire.frame() == {"type": "pong", "payload": {"n": 1}}
        await wire.send(subscribe(query="{ viewer { email } }"))
        frame = await wire.frame()
        assert frame["payload"]["data"]["viewer"]["email"] is None
        assert (await wire.frame())["type"] == "complete"


async def test_sockets_and_operations_are_bounded(api: House, alice: Client) -> None:
    alice = alice.at(await api.start_api(max_sockets=1, max_operations=1))
    async with open_wire(alice) as wire:
        await wire.subscribe(MINE)
        assert (await (await wire.subscribe(MINE)).error())["extensions"]["code"] == "RATE_LIMITED"
        async with open_wire(alice, is_silent=True) as second:
            await second.send({"type": "connection_init", "payload": alice.headers})
            assert await second.close_code() == 4429


@pytest.mark.parametrize("protocols", [(), ("graphql-ws",)])
async def test_another_protocol_is_4406(nobody: Client, protocols: tuple[str, ...]) -> None:
    async with nobody.http.ws_connect(f"{nobody.address}/graphql", protocols=protocols) as socket:
        assert (await socket.receive()).data == 4406


async def test_pages_of_other_origins_are_refused(alice: Client) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await alice.http.ws_connect(
            f"{alice.address}/graphql", protocols=["graphql-transport-ws"], origin="https://evil.test"
        )
