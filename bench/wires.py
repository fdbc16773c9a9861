"""Many WebSockets at a price that does not show: graphql-transport-ws by hand, no more of it than a watcher needs."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson

from bench.people import BenchError

AT_ONCE = 32
WAIT_SECONDS = 60
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
UPGRADE = (
    "GET /graphql HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
Hear = Callable[[int, bytes], None]


class Wire(asyncio.Protocol):
    """One socket; every text frame is handed to `hear` with the socket's number."""

    transport: asyncio.Transport

    def __init__(self, number: int, hear: Hear) -> None:
        self.number = number
        self.hear = hear
        self.waiting: asyncio.Future[bytes] | None = None
        self._buffer = b""
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is a connection; it is no WebSocket yet."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Take the frames that are whole."""
        buffer = self._buffer + data if self._buffer else data
        if not self._is_open:
            head, end, buffer = buffer.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            self._is_open = head.startswith(b"HTTP/1.1 101")
            self._told(head)
        begin = 0
        while len(buffer) - begin >= 2:
            size, at = buffer[begin + 1], begin + 2
            if size >= 126:
                width = 2 if size == 126 else 8
                size, at = int.from_bytes(buffer[at : at + width]), at + width
            if len(buffer) < at + size:
                break
            self._frame(buffer[begin], buffer[at : at + size])
            begin = at + size
        self._buffer = buffer[begin:]

    def _frame(self, kind: int, payload: bytes) -> None:
        if kind == TEXT:
            self._told(payload)
            self.hear(self.number, payload)
        elif kind == PING:
            self._write(PONG, payload)
        else:
            self._told(payload)

    def _told(self, what: bytes) -> None:
        if self.waiting and not self.waiting.done():
            self.waiting.set_result(what)

    def _write(self, kind: int, payload: bytes) -> None:
        size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2)
        self.transport.write(bytes([kind]) + size + bytes(4) + payload)  # masked, by nothing

    async def upgrade(self, host: str) -> None:
        """Make a WebSocket of it."""
        request = UPGRADE.format(host=host).encode()
        await self._answer(lambda: self.transport.write(request), b"HTTP/1.1 101")

    async def say(self, frame: dict[str, Any], answer: bytes) -> None:
        """Send a frame, and wait for one that holds `answer`. Raises BenchError when another comes."""
        await self._answer(lambda: self._write(TEXT, orjson.dumps(frame)), answer)

    async def _answer(self, act: Callable[[], None], wanted: bytes) -> None:
        self.waiting = asyncio.get_running_loop().create_future()
        act()
        async with asyncio.timeout(WAIT_SECONDS):
            found = await self.waiting
        if wanted not in found:
            raise BenchError(f"A socket says {found[:200]!r} instead of {wanted!r}.")


class Wires:
    """Sockets to one server, each with a token of its own."""

    def __init__(self, url: str, hear: Hear) -> None:
        self._address = urlsplit(url)
        self._hear = hear
        self._wires: list[Wire] = []

    async def open(self, tokens: Sequence[str]) -> float:
        """Connect and sign in, some at once; the seconds that it took."""
        began = time.perf_counter()
        await self._each(range(len(tokens)), lambda number: self._open(number, tokens[number]))
        return time.perf_counter() - began

    async def subscribe(self, query: str, variables: Sequence[dict[str, Any]]) -> float:
        """Have each watch, and see its first event; the seconds that it took."""
        began = time.perf_counter()
        await self._each(self._wires, lambda wire: self._subscribe(wire, query, variables[wire.number]))
        return time.perf_counter() - began

    def close(self) -> None:
        """Hang up."""
        for wire in self._wires:
            wire.transport.close()

    async def _open(self, number: int, token: str) -> None:
        loop = asyncio.get_running_loop()
        host, port = str(self._address.hostname), self._address.port or 80
        _, wire = await loop.create_connection(lambda: Wire(number, self._hear), host, port)
        await wire.upgrade(self._address.netloc)
        payload = {"Authorization": f"Bearer {token}"}
        await wire.say({"type": "connection_init", "payload": payload}, b"connection_ack")
        self._wires.append(wire)

    @staticmethod
    async def _subscribe(wire: Wire, query: str, variables: dict[str, Any]) -> None:
        payload = {"query": query, "variables": variables}
        await wire.say({"id": "1", "type": "subscribe", "payload": payload}, b"Snapshot")

    @staticmethod
    async def _each(items: Any, act: Callable[[Any], Any]) -> None:
        turns = iter(items)

        async def work() -> None:
            for item in turns:
                await act(item)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work())
