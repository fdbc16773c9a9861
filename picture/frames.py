"""uvicorn's WebSocket on one connection, taken a little at a time, with an end to what costs more to read than to send.

By itself it reads whatever has come in one go, 250 kB of frames of six bytes in half a second of everybody's time; it
answers pings without end to who does not read the answers, keeps as many empty pieces of a message as are sent, and
waits for ever for a handshake that is none.
"""

import struct
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

SLICE_BYTES = 4096
SMALL_BYTES = 512
# Pings, pongs and small pieces of messages: a client has few. Messages are counted by `picture/rates.py`.
SMALL_AT_ONCE = 300
SMALL_PER_SECOND = 10
TOO_MANY = 1008
TEXT = 0x81  # a message in one frame
NO_HANDSHAKE = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


SEND_NOW = "picture.send_now"  # the extension of ASGI's scope that holds `Frames.send_now`


class Frames(WebSocketsSansIOProtocol):
    """A connection that others do not notice, whatever is sent over it."""

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self._waiting = bytearray()
        self._is_reading = True
        self._is_going_on = False
        self._full_at = 0.0

    async def run_asgi(self) -> None:
        """Serve it, with a way to send that is ours."""
        self.scope["extensions"][SEND_NOW] = {"send": self.send_now}
        try:
            await super().run_asgi()
        finally:
            del self.scope["extensions"][SEND_NOW]  # which holds us

    def send_now(self, text: bytes) -> bool:
        """Send a message; False when it has to wait, or cannot be. By ASGI it takes 10 µs more."""
        if self.close_sent or self.disconnected or not self.writable.is_set() or self.transport.is_closing():
            return False
        self.transport.write(_head(len(text)) + text)
        return True

    def data_received(self, data: bytes) -> None:
        """Take the handshake, which is all there first; of all else a slice."""
        if not self.handshake_initiated:
            super().data_received(data)
            if not self.handshake_initiated:  # of too many headers, too long a path, or none of its own
                self.transport.write(NO_HANDSHAKE)
                self.transport.close()
            return
        self._waiting += data
        self._go_on()

    def _go_on(self) -> None:
        """Take a slice unless messages wait to be served; read on when there is nothing left to take."""
        self._is_going_on = False
        if self.transport.is_closing():
            return
        if self._waiting and self._may_go_on():
            some = bytes(self._waiting[:SLICE_BYTES])
            del self._waiting[:SLICE_BYTES]
            super().data_received(some)
        may = self._may_go_on()
        if self._waiting and may:
            self._is_going_on = True
            self.loop.call_soon(self._go_on)
        self._read(may and not self._waiting)

    def _may_go_on(self) -> bool:
        return self.close_sent or self.queue.empty()

    def _read(self, is_wanted: bool) -> None:
        if self.transport.is_closing() or is_wanted == self._is_reading:
            return
        self._is_reading = is_wanted
        if is_wanted:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    async def receive(self) -> Any:
        """The next message; with the last that waits, more are taken."""
        message = await self.queue.get()
        if self.queue.empty() and not self._is_going_on and not self.disconnected:
            self._go_on()
        return message

    def send_receive_event_to_app(self) -> None:
        """A message has come; who reads when is decided above."""
        self.read_paused = True
        try:
            if self.curr_msg_data_type == "text":
                b"".join(self.frames).decode()
        except UnicodeDecodeError:  # which uvicorn takes for a fault of its own, and logs with its traceback
            self._fail(1007, "No UTF-8.")
        else:
            super().send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answer, unless there are too many."""
        if self._is_one_more():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take it, unless there are too many."""
        if self._is_one_more():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """Take a piece of a message, unless there are too many that are small."""
        if len(event.data) >= SMALL_BYTES or event.fin or self._is_one_more():
            super().handle_cont(event)

    def _is_one_more(self) -> bool:
        """Whether one more small frame may come; the connection ends when not."""
        if self.close_sent:
            return False
        now = self.loop.time()
        self._full_at = max(self._full_at, now) + 1 / SMALL_PER_SECOND
        if self._full_at - now <= SMALL_AT_ONCE / SMALL_PER_SECOND:
            return True
        self._fail(TOO_MANY, "Too many small frames.")
        return False

    def _fail(self, code: int, reason: str) -> None:
        if not self.close_sent:
            self.conn.fail(code, reason)
            self.handle_parser_exception()


def _head(length: int) -> bytes:
    """What stands before a text that is a message in one frame, unmasked (RFC 6455, 5.2)."""
    if length < 126:
        return struct.pack("!BB", TEXT, length)
    return struct.pack("!BBH", TEXT, 126, length) if length < 65536 else struct.pack("!BBQ", TEXT, 127, length)
