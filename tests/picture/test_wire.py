"""A head that does not end, or does not come, holds neither memory nor a connection."""

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.conftest import House

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
