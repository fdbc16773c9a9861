"""Connections: requests within requests, heads and bodies that come drop by drop, many that say nothing."""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import UUID

from tests.hostile.attacks import Attack
from tests.hostile.requests import Answer, Hostile, Raw, raw
from tests.hostile.scene import Scene

STILL_OPEN = 598
HERS = UUID("10000000-0000-0000-0000-000000000001")


async def _hung_up(scene: Scene) -> Answer:
    """A thousand answers of which nobody reads the second half."""
    for _ in range(20):
        reader, writer = await scene.connect()
        writer.write(f"GET /i/{scene.published}/full HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 10)
        with suppress(ConnectionError, TimeoutError):
            await asyncio.wait_for(reader.read(100), 1)
        writer.transport.abort()
    return Answer(0, "")


def dripped(name: str, head: str, piece: bytes, *, seconds: float = 4) -> Attack:
    """A byte at a time, for longer than a request may take; the server has to hang up first."""

    async def run(scene: Scene) -> Answer:
        reader, writer = await scene.connect()
        writer.write(head.replace("\n", "\r\n").format(host=scene.host).encode())
        heard = asyncio.create_task(reader.read())
        try:
            async with asyncio.timeout(seconds):
                while not heard.done():
                    writer.write(piece)
                    await asyncio.wait({heard}, timeout=0.1)
        except TimeoutError:
            return Answer(STILL_OPEN, "still waiting")
        finally:
            heard.cancel()
            writer.close()
        text = "" if heard.cancelled() or heard.exception() else heard.result().decode(errors="replace")
        return Answer(int(text[9:12]) if text.startswith("HTTP/1.1 ") else 0, text)

    return Attack(name, run)


def crowd(name: str, head: str, count: int) -> Attack:
    """Many connections at once that say only this; somebody else is answered meanwhile."""

    async def run(scene: Scene) -> Answer:
        opened = await asyncio.gather(*(scene.connect() for _ in range(count)))
        try:
            for _, writer in opened:
                writer.write(head.replace("\n", "\r\n").format(host=scene.host).encode())
            status, _ = await scene.alice.post({"query": "{ __typename }"})
        finally:
            for _, writer in opened:
                writer.transport.abort()
        return Answer(status, "")

    return Attack(name, run)


PUT = f"PUT /uploads/{HERS} HTTP/1.1\nHost: {{host}}\nContent-Type: image/png\n"
SMUGGLED: list[Hostile | Raw] = [
    raw("an upload of two lengths", PUT + "Content-Length: 5\nContent-Length: 50", b"aaaaa"),
    raw("an upload in chunks and of a length", PUT + "Content-Length: 5\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    raw("a length with a sign", "POST /graphql HTTP/1.1\nHost: {host}\nContent-Type: application/json\nContent-Length: +5", b"aaaaa"),
    raw("a length in other digits", "POST /graphql HTTP/1.1\nHost: {host}\nContent-Length: 0x5", b"aaaaa"),
    raw("chunks by another name", "POST /graphql HTTP/1.1\nHost: {host}\nTransfer-Encoding: xchunked", b"0\r\n\r\n"),
    raw("chunks behind a blank", "POST /graphql HTTP/1.1\nHost: {host}\nTransfer-Encoding : chunked", b"0\r\n\r\n"),
    raw("a request in a body", "POST /graphql HTTP/1.1\nHost: {host}\nContent-Type: application/json\nContent-Length: 4", b"nullGET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    raw("a request behind chunks", "POST /graphql HTTP/1.1\nHost: {host}\nContent-Type: application/json\nTransfer-Encoding: chunked", b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    raw("a chunk with an extension of 50,000 characters", "POST /graphql HTTP/1.1\nHost: {host}\nContent-Type: application/json\nTransfer-Encoding: chunked", b"4;" + b"a" * 50_000 + b"\r\nnull\r\n0\r\n\r\n"),
    raw("trailers of 50,000 characters", "POST /graphql HTTP/1.1\nHost: {host}\nContent-Type: application/json\nTransfer-Encoding: chunked", b"0\r\n" + b"X-A: b\r\n" * 7000 + b"\r\n"),
    raw("10,000 requests at once", "GET /healthz HTTP/1.1\nHost: {host}", b"GET / HTTP/1.1\r\n\r\n" * 10_000),
    raw("lines without returns", "GET /healthz HTTP/1.1", b"Host: a\n\n"),
    raw("no lines", "GET /healthz", b"\r\n" * 1000),
    raw("blank lines first", "\n" * 1000 + "GET /healthz HTTP/1.1\nHost: {host}\nConnection: close"),
    raw("a method of 10,000 characters", "A" * 10_000 + " / HTTP/1.1\nHost: {host}"),
    raw("a host of nothing", "GET /graphql HTTP/1.1\nHost:"),
    raw("a host with an account", "GET /graphql HTTP/1.1\nHost: 127.0.0.1@evil.example"),
    raw("a host of 10,000 characters", "GET /graphql HTTP/1.1\nHost: " + "a" * 10_000),
    raw("a host in the address", "GET http://127.0.0.1:1/graphql HTTP/1.1\nHost: {host}\nConnection: close"),
    raw("all of it", "OPTIONS * HTTP/1.1\nHost: {host}\nConnection: close"),
]  # fmt: skip
POST = "POST /graphql HTTP/1.1\nHost: {host}\nContent-Type: application/json\n"
SLOW = [
    Attack("given up in the middle", _hung_up),
    dripped("a head, drop by drop", "POST /graphql HTTP/1.1\nHost: {host}\nX-A: ", b"a"),
    dripped("a head, line by line", "POST /graphql HTTP/1.1\nHost: {host}\n", b"X-A: b\r\n"),
    dripped("nothing, and blank lines", "", b"\r\n"),
    dripped("a body, drop by drop", POST + "Content-Length: 1000\n\n", b" "),
    dripped("chunks, drop by drop", POST + "Transfer-Encoding: chunked\n\n", b"1\r\n \r\n"),
    dripped("a size of a chunk, drop by drop", POST + "Transfer-Encoding: chunked\n\n0", b"0"),
    crowd("300 connections that say nothing", "", 300),
    crowd("300 heads that do not end", "POST /graphql HTTP/1.1\nHost: {host}\nX-A: ", 300),
    crowd("300 bodies that do not come", POST + "Content-Length: 1000\n\n", 300),
    crowd("300 uploads that do not come", "PUT /uploads/a HTTP/1.1\nHost: {host}\nContent-Length: 1000\n\n", 300),
]

REQUESTS: list[Any] = [*SMUGGLED, *SLOW]
