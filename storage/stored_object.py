"""An object that has been opened: what it is, and its bytes as they are asked for."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from storage.errors import RangeError, StorageUnavailableError

CHUNK_BYTES = 256 * 1024  # one hop to a thread costs 0.05 ms: few hops, little memory

# The first byte and the last one, or None for the end; a negative first counts from the end. As HTTP's Range.
ByteRange = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What the storage says of an object without its bytes."""

    size: int
    content_type: str


class Body(Protocol):
    """What a file and an HTTP response have in common."""

    def read(self, amt: int, /) -> bytes:
        """The next bytes, at most `amt`; none at the end."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(slots=True, eq=False)
class StoredObject:
    """An object's facts, and one reader of its bytes; close it, or read it to its end."""

    size: int  # bytes in the whole object
    etag: str  # quoted, strong
    content_type: str
    start: int  # of the part that was asked for
    length: int  # bytes that chunks() yields
    body: Body
    executor: Executor | None = None  # None: the loop's own
    _is_closed: bool = False

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes, once, at most CHUNK_BYTES each. Raises StorageUnavailableError when they end too soon."""
        loop = asyncio.get_running_loop()
        left = self.length
        try:
            while left:
                chunk = await loop.run_in_executor(self.executor, self.body.read, min(left, CHUNK_BYTES))
                if not chunk:
                    raise StorageUnavailableError
                left -= len(chunk)
                yield chunk
        except OSError as error:
            raise StorageUnavailableError from error
        finally:
            self.close()

    async def read(self) -> bytes:
        """All of it, for what is known to be small."""
        return b"".join([chunk async for chunk in self.chunks()])

    def close(self) -> None:
        """Let go of the body, in a thread: a read that was abandoned may still hold its lock."""
        if not self._is_closed:
            self._is_closed = True
            close: Callable[[], None] = self.body.close
            with suppress(RuntimeError):  # the storage itself was closed meanwhile, and the body with it
                asyncio.get_running_loop().run_in_executor(self.executor, close)


def span(byte_range: ByteRange | None, size: int) -> tuple[int, int]:
    """Where the range begins in an object of `size` bytes, and how long it is. Raises RangeError."""
    if byte_range is None:
        return 0, size
    first, last = byte_range
    start = max(size + first, 0) if first < 0 else first
    end = size if last is None else min(last + 1, size)
    if start >= end:
        raise RangeError(size)
    return start, end - start
