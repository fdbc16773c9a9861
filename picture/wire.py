"""uvicorn's HTTP on one connection, with an end to what may come before a request is one, and to how many there are.

By itself it keeps a head of any size in memory, waits for one for ever, and takes as many requests at once as are sent.
"""

import asyncio
from collections import Counter
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from picture.rates import whose

MAX_HEAD_BYTES = 65_536
MAX_PARAMETERS = 100  # of an address; 20,000 of them take 20 ms to read
MAX_WAITING = 16  # requests sent before the first is answered: nobody does, and a read may bring 14,000
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class TooManyError(Exception):
    """More requests have come than may wait for each other, or more parameters than anything takes."""


class Wire(HttpToolsProtocol):
    """A connection whose heads arrive in time, and are no larger than `MAX_HEAD_BYTES`."""

    head_seconds = 10.0
    most_of_address = 0  # connections at once; 0: no limit
    open: ClassVar[Counter[str]] = Counter()

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._address = whose(self.client[0]) if self.client and self.most_of_address else None
        if self._address:
            self.open[self._address] += 1
            if self.open[self._address] > self.most_of_address:
                transport.abort()
        self._timer: asyncio.TimerHandle | None = None
        self._is_head = False
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._end_head()
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take it, unless it is more of a head than there may be."""
        if self._is_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._is_head and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def handle_websocket_upgrade(self) -> None:
        """It is no connection of HTTP any more; sockets are counted elsewhere."""
        self._leave()
        super().handle_websocket_upgrade()

    def _leave(self) -> None:
        if self._address:
            self.open[self._address] -= 1
            if not self.open[self._address]:
                del self.open[self._address]
            self._address = None

    def on_message_begin(self) -> None:
        """A head, after what may have been a pause."""
        if len(self.pipeline) >= MAX_WAITING:
            raise TooManyError  # which ends the connection
        self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The end of it; what follows is bounded elsewhere."""
        self._end_head()
        if self.url.count(b"&") > MAX_PARAMETERS:
            raise TooManyError
        super().on_headers_complete()

    def _await_head(self) -> None:
        if self._is_head:
            return
        self._is_head, self._head_bytes = True, 0
        self._timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _end_head(self) -> None:
        self._is_head = False
        if self._timer:
            self._timer.cancel()
            self._timer = None


def wire(head_seconds: float, most_of_address: int = 0) -> type[Wire]:
    """What uvicorn makes of every connection."""
    own = {"head_seconds": head_seconds, "most_of_address": most_of_address, "open": Counter()}
    return type("Wire", (Wire,), own)
