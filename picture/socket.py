"""One WebSocket as Strawberry's handler sees it, and what all of a process share."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected

from db.claims import Claims
from picture.frames import SEND_NOW, Frames

REASON_BYTES = 123  # a close frame holds no more
TOO_SLOW = "Too slow. Connect again and resume."
HANG_UP_SECONDS = 30  # nothing runs on it any more; the server's pings end what is dead

SendNow = Callable[[bytes], bool]
Verify = Callable[[str | None], Awaitable[Claims]]
Watch = Callable[[UUID | None, Callable[[], None]], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """How long, how many, how much; from the settings."""

    init_timeout_seconds: float = 10
    send_seconds: float = 15
    stream_seconds: float = 3600
    max_operations: int = 100
    max_sockets: int = 100
    max_frame_bytes: int = 1_000_000


@dataclass
class Sockets:
    """What all sockets of a process share: how an Authorization is verified, the limits, and who has how many."""

    verify: Verify
    watch: Watch  # has something called when somebody's account has gone
    limits: SocketLimits = field(default_factory=SocketLimits)
    open: Counter[UUID] = field(default_factory=Counter)

    def enter(self, person: UUID) -> bool:
        """Count one more of this person's sockets; False when they have as many as they may."""
        if self.open[person] >= self.limits.max_sockets:
            return False
        self.open[person] += 1
        return True

    def leave(self, person: UUID) -> None:
        """One less."""
        self.open[person] -= 1
        if not self.open[person]:
            del self.open[person]


def server_options(*, ping_seconds: float, max_frame_bytes: int) -> dict[str, Any]:
    """What uvicorn is told about WebSockets. No compressor: 40 KiB a socket, most of a broadcast's time, small gain."""
    return {
        "ws": Frames,
        "ws_max_size": max_frame_bytes,
        "ws_ping_interval": ping_seconds,
        "ws_ping_timeout": ping_seconds,
        "ws_per_message_deflate": False,
    }


def _not_now(text: bytes) -> bool:
    """Where the server has no such way."""
    return False


class Socket(ASGIWebSocketAdapter):
    """One socket. Anybody may `end` it; the handler then hangs up."""

    def __init__(self, view: Any, request: WebSocket, response: WebSocket) -> None:
        super().__init__(view, request, response)
        self.limits = view.sockets.limits
        self.is_served = False
        self._send_now: SendNow = response.scope["extensions"].get(SEND_NOW, {}).get("send", _not_now)
        self.ended: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    @property
    def is_open(self) -> bool:
        """Whether anything may still be sent."""
        return not self.ended.done() and self.ws.application_state is WebSocketState.CONNECTED

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        """Each frame's value, until either side closes."""
        while self.is_open:
            message = await self.ws.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                raise NonTextMessageReceived
            if len(text) > self.limits.max_frame_bytes:
                self.end(1009, "The message is too big.")
                return
            try:
                value = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                raise NonJsonMessageReceived from error
            yield value

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Send it. Raises WebSocketDisconnected when it cannot be."""
        encoded = self.view.encode_json(message)
        await self.send(encoded.encode() if isinstance(encoded, str) else encoded)

    async def send(self, text: bytes) -> None:
        """Send one frame. Raises WebSocketDisconnected when it cannot be."""
        if self.send_now(text):
            return
        if not self.is_open:
            raise WebSocketDisconnected
        # Whoever waits here is cancelled when the socket ends. `asyncio.timeout` would be a tenth of an event's price.
        patience = asyncio.get_running_loop().call_later(self.limits.send_seconds, self.end, 1013, TOO_SLOW)
        try:
            await self.ws.send_text(text.decode())
        except (WebSocketDisconnect, RuntimeError) as error:
            raise WebSocketDisconnected from error
        finally:
            patience.cancel()

    def send_now(self, text: bytes) -> bool:
        """Send one frame; False when it has to wait, or cannot be."""
        return self.is_open and self._send_now(text)

    async def close(self, code: int, reason: str) -> None:
        """As `end`, for Strawberry's handler; its view closes what no handler serves."""
        self.end(code, reason)
        if not self.is_served:
            await self.hang_up()

    def end(self, code: int, reason: str) -> None:
        """Say why it ends; the first to do so is heard."""
        if not self.ended.done():
            self.ended.set_result((code, reason))

    async def hang_up(self) -> None:
        """Send the close frame; to a slow reader, once it has taken what is on the way."""
        if not self.ended.done() or self.ws.application_state is not WebSocketState.CONNECTED:
            return
        code, reason = self.ended.result()
        short = reason.encode()[:REASON_BYTES].decode(errors="ignore")
        with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
            async with asyncio.timeout(HANG_UP_SECONDS):
                await self.ws.close(code, short)
