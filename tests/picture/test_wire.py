"""A head that does not end, or does not come, holds neither memory nor a connection."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
import uvicorn

from picture.app import create_app
from picture.wire import wire
from tests.conftest import SERVING, House

BEGIN = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: "


async def connect(house: House) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(house.apis[0])
    return await asyncio.open_connection(parts.hostname, parts.port)


async def fill(writer: asyncio.StreamWriter, more: bytes) -> None:
    """Send until nobody takes it."""
    while True:
        writer.write(more)
        await writer.drain()
        await asyncio.sleep(0)


async def test_an_address_has_only_so_many_connections(empty_house: House) -> None:
    settings = empty_house.settings
    serving = uvicorn.Config(create_app(settings), http=wire(settings.body_seconds, 2), port=0, **SERVING)
    server = uvicorn.Server(serving)
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        with suppress(ConnectionError):
            assert await opened[2][0].read() == b""
        opened[0][1].write(BEGIN + b"b\r\n\r\n")
        assert (await opened[0][0].readline()).startswith(b"HTTP/1.1 200")
        for _, writer in opened:
            writer.close()
        server.should_exit = True
        await running


async def test_a_head_of_any_size_is_refused(api: House) -> None:
    for begin, more in ((BEGIN, b"a" * 60_000), (BEGIN + b"a\r\n", b"X-A: b\r\n" * 8000), (b"GET /", b"a" * 60_000)):
        _, writer = await connect(api)
        writer.write(begin)
        async with asyncio.timeout(5):
            with pytest.raises(OSError):
                await fill(writer, more)
        writer.close()
    reader, writer = await connect(api)
    writer.write(BEGIN + b"a" * 70_000)
    async with asyncio.timeout(5):
        assert (await reader.read()).startswith(b"HTTP/1.1 431")
    writer.close()


async def test_a_connection_serves_many_requests_of_usual_size(api: House) -> None:
    reader, writer = await connect(api)
    for _ in range(3):
        writer.write(BEGIN + b"a" * 10_000 + b"\r\n\r\n")
        async with asyncio.timeout(5):
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_who_sends_no_head_is_hung_up_on(empty_house: House) -> None:
    await empty_house.start_api(body_seconds=0.2)
    for begin in (b"", BEGIN):
        reader, writer = await connect(empty_house)
        writer.write(begin)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_who_sends_half_a_body_is_told(empty_house: House) -> None:
    await empty_house.start_api(body_seconds=0.2)
    reader, writer = await connect(empty_house)
    writer.write(b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
    writer.write(b"Content-Length: 100\r\n\r\n{")
    async with asyncio.timeout(5):
        assert (await reader.read()).startswith(b"HTTP/1.1 408")
    writer.close()
