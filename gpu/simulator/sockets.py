"""The WebSocket side: who is connected, and one queue of messages that are sent one after the other."""

import asyncio
import json
import struct
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

FEATURES = {
    "supports_preview_metadata": True,
    "supports_model_type_tags": True,
    "max_upload_size": 104857600,
    "extension": {"manager": {"supports_v4": True}},
    "node_replacements": True,
    "assets": False,
}
PREVIEW, PREVIEW_WITH_METADATA = 1, 4
_FORMATS = {"image/jpeg": 1, "image/png": 2}

Message = str | bytes


@dataclass(slots=True)
class Peer:
    """One open connection."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    features: dict[str, Any] = field(default_factory=dict)
    is_silent: bool = False


@dataclass(slots=True)
class Sockets:
    """Connections by client id. One that does not read holds up all, as in the real server."""

    peers: dict[str, Peer] = field(default_factory=dict)
    outgoing: asyncio.Queue[tuple[Message, str | None]] = field(default_factory=asyncio.Queue)
    gate: asyncio.Event = field(default_factory=asyncio.Event)  # closed while all stands still

    def __post_init__(self) -> None:
        self.gate.set()

    def send(self, event: str, data: dict[str, Any], client: str | None = None) -> None:
        """Queue an event for one client, or for all when `client` is None."""
        self.outgoing.put_nowait((json.dumps({"type": event, "data": data}), client))

    def preview(self, image: bytes, image_type: str, client: str | None) -> None:
        """Queue a bare preview (event 1), which does not say whose it is."""
        self.outgoing.put_nowait((struct.pack(">II", PREVIEW, _FORMATS[image_type]) + image, client))

    def preview_of(self, image: bytes, metadata: dict[str, Any], client: str) -> None:
        """Queue a preview that names its prompt and node (event 4)."""
        about = json.dumps(metadata).encode()
        self.outgoing.put_nowait((struct.pack(">II", PREVIEW_WITH_METADATA, len(about)) + about + image, client))

    def wants_metadata(self, client: str | None) -> bool:
        """Whether this client said that it understands event 4."""
        peer = self.peers.get(client or "")
        return bool(peer and peer.features.get("supports_preview_metadata"))

    async def publish(self) -> None:
        """Send what is queued, for ever, each message awaited before the next."""
        while True:
            message, client = await self.outgoing.get()
            await self.gate.wait()
            if client is None:
                for peer in list(self.peers.values()):
                    await _deliver(peer, message)
            elif client in self.peers:
                await _deliver(self.peers[client], message)

    async def serve(self, request: web.Request, status: dict[str, Any], executing: str | None) -> web.WebSocketResponse:
        """Hold a connection to its end. `executing` is the node that this client's prompt is at."""
        socket = web.WebSocketResponse(max_msg_size=4 * 1024 * 1024)
        await socket.prepare(request)
        client = request.query.get("clientId") or uuid.uuid4().hex
        peer = Peer(socket, request.transport)
        self.peers[client] = peer
        try:
            await _say(peer, "status", {"status": status, "sid": client})
            if executing is not None:
                await _say(peer, "executing", {"node": executing})
            await self._listen(peer)
        finally:
            # By the name, whoever bears it now: an old connection's end unregisters a newer one, as in the real server.
            self.peers.pop(client, None)
        return socket

    async def _listen(self, peer: Peer) -> None:
        is_first = True
        async for message in peer.socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                said = json.loads(message.data)
            except ValueError:
                continue
            if is_first and isinstance(said, dict) and said.get("type") == "feature_flags":
                peer.features = said.get("data", {})
                await _say(peer, "feature_flags", FEATURES)
            is_first = False

    def drop(self, client: str | None) -> None:
        """Cut a client's connection without a close frame."""
        peer = self.peers.get(client or "")
        if peer and peer.transport:
            peer.transport.abort()

    def silence(self, client: str | None) -> None:
        """Leave a client's connection open, and send nothing on it any more."""
        if peer := self.peers.get(client or ""):
            peer.is_silent = True


async def _say(peer: Peer, event: str, data: dict[str, Any]) -> None:
    await _deliver(peer, json.dumps({"type": event, "data": data}))


async def _deliver(peer: Peer, message: Message) -> None:
    if peer.is_silent:
        return
    try:
        if isinstance(message, str):
            await peer.socket.send_str(message)
        else:
            await peer.socket.send_bytes(message)
    except (ConnectionError, RuntimeError):  # it has gone; its own task cleans up
        return
