"""Asking ClamAV about a file: clamd's INSTREAM, over TCP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from storage.errors import ScannerUnavailableError

CHUNK_BYTES = 64 * 1024
ANSWER_BYTES = 4096
PORT = 3310
TROUBLE = (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class Scanner:
    """clamd at `tcp://host:port`; a file is asked about for at most `seconds`."""

    def __init__(self, url: str, seconds: float = 60) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "127.0.0.1", address.port or PORT
        self._seconds = seconds

    async def infection(self, source: Path) -> str | None:
        """The name of what was found in the file; None when nothing was. Raises ScannerUnavailableError."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._ask(source)
        except TROUBLE as error:
            raise ScannerUnavailableError from error
        said = answer.rstrip(b"\0").decode(errors="replace").removeprefix("stream: ")
        if said == "OK":
            return None
        if said.endswith(" FOUND"):
            return said.removesuffix(" FOUND")
        raise ScannerUnavailableError(f"The virus scanner says: {said[:200]}")  # its own limits, or it is starting

    async def version(self) -> str:
        """Its name and that of its signatures. Raises ScannerUnavailableError."""
        try:
            async with asyncio.timeout(self._seconds), self._connected() as (reader, writer):
                writer.write(b"zVERSION\0")
                return (await reader.readuntil(b"\0")).rstrip(b"\0").decode(errors="replace")
        except TROUBLE as error:
            raise ScannerUnavailableError from error

    async def _ask(self, source: Path) -> bytes:
        async with self._connected() as (reader, writer):
            writer.write(b"zINSTREAM\0")
            with source.open("rb") as file:
                while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                    writer.write(len(chunk).to_bytes(4, "big") + chunk)
                    await writer.drain()
            writer.write(bytes(4))
            await writer.drain()
            return await reader.readuntil(b"\0")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=ANSWER_BYTES)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()
