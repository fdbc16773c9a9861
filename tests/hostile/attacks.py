"""What is more than one request: a conversation, in which what came first decides what comes next."""

import asyncio
import base64
import os
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from tests.hostile.requests import Answer
from tests.hostile.scene import Scene

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
HEARD_SECONDS = 6  # a server that says nothing for so long has been made to hang
PROTOCOL = "graphql-transport-ws"
LAST = "the last"
OURS = 1011  # the close code of who has failed


@dataclass(frozen=True)
class Attack:
    """One line of a table: what it is called, and what is done."""

    name: str
    run: Callable[[Scene], Awaitable[Answer]]

    async def send(self, scene: Scene) -> Answer:
        """Do it; all that was heard."""
        return await self.run(scene)


def frame(opcode: int, data: bytes = b"", *, last: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    """One frame of a WebSocket, as no library would write it where that is asked for."""
    head = bytes([(0x80 if last else 0) | reserved | opcode])
    mask = 0x80 if masked else 0
    if len(data) < 126:
        head += bytes([mask | len(data)])
    else:
        head += bytes([mask | 127]) + struct.pack(">Q", len(data))
    return head + (b"\0\0\0\0" if masked else b"") + data


def said(message: Any) -> bytes:
    """A message of the protocol, or what should be one, as a frame."""
    return frame(TEXT, message if isinstance(message, bytes) else orjson.dumps(message))


def subscribe(id: Any, query: Any, **payload: Any) -> dict[str, Any]:
    """The message that runs an operation."""
    return {"id": id, "type": "subscribe", "payload": {"query": query, **payload}}


class Wire:
    """A WebSocket by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.heard = reader, writer, bytearray()
        self.code: int | None = None

    async def upgrade(self, host: str, headers: dict[str, str]) -> int:
        """Ask for it; the status of the answer, 0 where there is none."""
        usual = {
            "Host": host,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Protocol": PROTOCOL,
            **headers,
        }
        method, path = usual.pop(":method", "GET"), usual.pop(":path", "/graphql")
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in usual.items() if value)]
        self.writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0
        self.heard += head
        return int(head[9:12])

    async def listen(self) -> bytes | None:
        """The next message, None once it has been closed; pings go unanswered."""
        try:
            while True:
                first, second = await self.reader.readexactly(2)
                length = second & 127
                if length >= 126:
                    length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8))
                data = await self.reader.readexactly(length)
                self.heard += data
                if first & 15 == CLOSE:
                    self.code = int.from_bytes(data[:2])
                    return None
                if first & 15 == TEXT:
                    return data
        except (asyncio.IncompleteReadError, ConnectionError):
            return None


def talk(
    name: str,
    *frames: bytes | dict[str, Any],
    init: Any = "mallory",
    **headers: str,
) -> Attack:
    """Say these over one WebSocket, then ask for something simple; all that was heard until that was answered.

    `init` is the payload of `connection_init`; None where it does not come, Mallory's token by default.
    """

    async def run(scene: Scene) -> Answer:
        reader, writer = await scene.connect()
        wire = Wire(reader, writer)
        status = 0
        named = {key.replace("__", ":").replace("_", "-"): value for key, value in headers.items()}
        try:
            async with asyncio.timeout(HEARD_SECONDS):
                status = await wire.upgrade(scene.host, named)
                if status == 101:
                    await _say(wire, frames, scene.mallory.headers if init == "mallory" else init)
        except TimeoutError:
            pass  # how long it took is looked at for every kind
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        failed = 500 if wire.code == OURS else 0
        return Answer(status if status != 101 else failed, f"{wire.heard.decode(errors='replace')} {wire.code}")

    return Attack(name, run)


async def _say(wire: Wire, frames: tuple[bytes | dict[str, Any], ...], init: Any) -> None:
    if init is not None:
        wire.writer.write(said({"type": "connection_init", "payload": init}))
    for each in frames:
        wire.writer.write(each if isinstance(each, bytes) else said(each))
    wire.writer.write(said(subscribe(LAST, "{ __typename }")))
    with suppress(ConnectionError):
        await asyncio.gather(wire.writer.drain(), _hear(wire))


async def _hear(wire: Wire) -> None:
    while (message := await wire.listen()) is not None:
        with suppress(orjson.JSONDecodeError):
            heard = orjson.loads(message)
            if heard.get("id") == LAST and heard.get("type") in ("complete", "error"):
                return
