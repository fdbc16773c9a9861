"""A tap on the wire to Postgres: what a client sends, whichever library it sends it with."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SSL_REQUEST = 80877103
STATEMENTS = b"EQ"  # Execute, and the simple Query
ROUND_TRIPS = b"SQ"  # Sync, after which a client waits, and the simple Query


@dataclass
class Tap:
    """Counts of all connections through it."""

    url: str
    sent: list[int] = field(default_factory=list)  # the kinds of the messages

    def clear(self) -> None:
        """Count from here."""
        self.sent.clear()

    @property
    def statements(self) -> int:
        """How many were run: transactions' ends and settings among them."""
        return sum(kind in STATEMENTS for kind in self.sent)

    @property
    def round_trips(self) -> int:
        """How often a client waited for an answer."""
        return sum(kind in ROUND_TRIPS for kind in self.sent)


@asynccontextmanager
async def open_tap(url: str) -> AsyncIterator[Tap]:
    """A tap on the way to the server of `url`, at an address of its own."""
    parts = urlsplit(url)
    tap, serving = Tap(""), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        serving.add(task)
        from_server, to_server = await asyncio.open_connection(parts.hostname, parts.port)
        back = asyncio.create_task(_pour(from_server, writer))
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await _listen(reader, to_server, tap)
        back.cancel()
        to_server.close()
        writer.close()
        serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tap.url = parts._replace(netloc=parts.netloc.rsplit(":", 1)[0] + f":{port}").geturl()
    try:
        yield tap
    finally:
        server.close()
        for task in serving:
            task.cancel()


async def _listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tap: Tap) -> None:
    """Pass messages on, and note the kind of each; those that begin a connection have none."""
    begun = False
    while True:
        kind = await reader.readexactly(1) if begun else b""
        length = await reader.readexactly(4)
        body = await reader.readexactly(int.from_bytes(length) - 4)
        if begun:
            tap.sent.append(kind[0])
        begun = begun or int.from_bytes(body[:4]) != SSL_REQUEST
        writer.write(kind + length + body)
        await writer.drain()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
