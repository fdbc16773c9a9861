"""The one WebSocket to a ComfyUI: always read, opened again when it is lost, and then under a new name.

ComfyUI awaits each send, so a client that does not read stops the events of all clients; and the clean-up of a lost
socket unregisters a new one of the same name.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from uuid import uuid4

import aiohttp

from gpu.wire import Event, Executing, Preview, Started, parse_binary, parse_text

_HELLO = '{"type": "feature_flags", "data": {"supports_preview_metadata": true}}'
_PING_SECONDS = 30  # ComfyUI sends none; without them a connection that a router forgot looks alive for ever
_CLOSE_SECONDS = 1
_RETRY_SECONDS = (0.1, 2.0)


@dataclass
class Link:
    """One connection, for as long as it lives: events of a prompt go only to the link that it was posted under."""

    client_id: str = field(default_factory=lambda: str(uuid4()))
    is_alive: bool = True


class Listener:
    """Reads, and hands on what concerns a run."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, deliver: Callable[[Event], None], on_lost: Callable[[], None]
    ) -> None:
        self._http = http
        self._url = f"{url.rstrip('/')}/ws"
        self._deliver = deliver
        self._on_lost = on_lost
        self._link: Link | None = None
        self._is_up = asyncio.Event()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._closing: asyncio.Task[bool] | None = None
        self._running: str | None = None

    async def link(self, timeout_seconds: float) -> Link | None:
        """The connection to post under; None when there is none within the time."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_up.wait(), timeout_seconds)
        return self._link

    def renew(self) -> None:
        """Leave a connection that has fallen silent."""
        if self._socket is not None:
            self._drop()
            self._closing = asyncio.create_task(self._socket.close())

    async def listen(self) -> None:
        """Until canceled."""
        least, most = _RETRY_SECONDS
        wait_seconds = least
        while True:
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                wait_seconds = min(2 * wait_seconds, most)
                await self._connection()
                wait_seconds = least
            await asyncio.sleep(wait_seconds)

    async def _connection(self) -> None:
        link = Link()
        connecting = self._http.ws_connect(
            self._url,
            params={"clientId": link.client_id},
            max_msg_size=0,  # frames from the server have no limit; at one of ours the image is gone
            heartbeat=_PING_SECONDS,
            timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
        )
        async with connecting as socket:
            await socket.send_str(_HELLO)  # heard only as the first message
            self._socket = socket
            try:
                async for message in socket:
                    self._hear(link, message)
            finally:
                self._socket = None
                link.is_alive = False
                self._drop()

    def _hear(self, link: Link, message: aiohttp.WSMessage) -> None:
        if self._link is None and link.is_alive:
            self._link = link  # its first word: only now is it sure to be registered there
            self._is_up.set()
        if message.type is aiohttp.WSMsgType.TEXT:
            event: Event | None = parse_text(message.data)
        else:
            event = parse_binary(message.data) if message.type is aiohttp.WSMsgType.BINARY else None
        if isinstance(event, Started | Executing):
            self._running = event.prompt_id
        if isinstance(event, Preview) and event.prompt_id is None:
            event = replace(event, prompt_id=self._running)  # an older ComfyUI does not say whose
        if event is not None:
            self._deliver(event)

    def _drop(self) -> None:
        if self._link is not None:
            self._link.is_alive = False
        self._link = None
        self._is_up.clear()
        self._on_lost()
