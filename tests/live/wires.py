"""A client that speaks graphql-transport-ws frame by frame, so that tests see what is on the wire."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.client import Client

PATIENCE_SECONDS = 10.0
PROTOCOL = "graphql-transport-ws"
FIELDS = """{
  __typename cursor at generation { id status stage progress attempt prompt }
  ... on GenerationQueued { queuePosition }
  ... on GenerationQueueMoved { queuePosition heldReason }
  ... on GenerationProgressed { progress step steps etaSeconds now: stage }
  ... on GenerationPreviewed { dataUrl }
  ... on GenerationFailed { willRetry failure { code message retryable } }
  ... on GenerationCompleted { images { id } }
}"""
ONE = f"""subscription One($id: ID!, $after: String, $progress: Boolean! = true, $previews: Boolean! = false) {{
  generationEvents(id: $id, after: $after, progress: $progress, previews: $previews) {FIELDS} }}"""
MINE = f"""subscription Mine($after: String, $progress: Boolean! = true, $previews: Boolean! = false) {{
  myGenerationEvents(after: $after, progress: $progress, previews: $previews) {FIELDS} }}"""


@dataclass
class Wire:
    """One socket."""

    socket: aiohttp.ClientWebSocketResponse
    _ids: Iterator[int] = field(default_factory=itertools.count)
    _kept: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, frame: object) -> None:
        """One frame."""
        await self.socket.send_json(frame)

    async def say(self, frame: object) -> None:
        """One frame, whatever it is."""
        if isinstance(frame, str):
            await self.socket.send_str(frame)
        elif isinstance(frame, bytes):
            await self.socket.send_bytes(frame)
        else:
            await self.socket.send_json(frame)

    def stop_reading(self) -> asyncio.Transport:
        """Take nothing from the network any more, until reading is resumed."""
        connection = self.socket._response.connection
        assert connection
        assert isinstance(connection.transport, asyncio.Transport)
        connection.transport.pause_reading()
        return connection.transport

    async def frame(self) -> dict[str, Any]:
        """The next frame; fails when the socket was closed."""
        message = await self.socket.receive(PATIENCE_SECONDS)
        assert message.type is aiohttp.WSMsgType.TEXT, f"{message.type!r} {self.socket.close_code} {message.extra}"
        frame: dict[str, Any] = message.json()
        return frame

    async def frame_of(self, id: str) -> dict[str, Any]:
        """The next frame of one operation; those of others are kept for them."""
        for frame in self._kept:
            if frame["id"] == id:
                self._kept.remove(frame)
                return frame
        while (frame := await self.frame())["id"] != id:
            self._kept.append(frame)
        return frame

    async def close_code(self) -> int:
        """The code with which the server closes, whatever it says before."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (message := await self.socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        assert message.type is aiohttp.WSMsgType.CLOSE, message
        return int(message.data)

    async def subscribe(self, query: str, **variables: object) -> "Stream":
        """Start an operation."""
        id = str(next(self._ids))
        await self.send({"id": id, "type": "subscribe", "payload": {"query": query, "variables": variables}})
        return Stream(self, id)


@asynccontextmanager
async def open_wire(person: Client, *, token: str | None = None, is_silent: bool = False) -> AsyncIterator[Wire]:
    """A socket of theirs, on which they have said who they are unless `is_silent`."""
    address = f"{person.address}/graphql"
    async with person.http.ws_connect(address, protocols=[PROTOCOL], max_msg_size=0, autoclose=False) as socket:
        wire = Wire(socket)
        if not is_silent:
            given = token or person.token
            payload = {"Authorization": f"Bearer {given}"} if given else None
            await wire.send({"type": "connection_init", "payload": payload})
            assert (await wire.frame())["type"] == "connection_ack"
        yield wire


async def create(person: Client, prompt: str = "a red fox") -> str:
    """The id of a new generation."""
    id: str = (await person.create_generation(prompt=prompt))["id"]
    return id


async def delete(person: Client, id: str) -> None:
    """Be rid of it."""
    assert (await person.mutate("deleteGeneration", "deletedId", id=id))["errors"] == []


@dataclass
class Stream:
    """One operation on a socket."""

    wire: Wire
    id: str
    cursor: str | None = None

    async def event(self) -> dict[str, Any]:
        """The next event."""
        frame = await self.wire.frame_of(self.id)
        assert frame["type"] == "next", frame
        assert "errors" not in frame["payload"], frame
        (event,) = frame["payload"]["data"].values()
        self.cursor = event["cursor"]
        return event  # type: ignore[no-any-return]

    async def told(self, count: int) -> list[str]:
        """The types of the next events, without their prefix."""
        return [(await self.event())["__typename"].removeprefix("Generation") for _ in range(count)]

    async def until(self, kind: str, **fields: object) -> dict[str, Any]:
        """The first event of this type with these fields; what comes before is passed over."""
        while True:
            event = await self.event()
            if event["__typename"] == f"Generation{kind}" and fields.items() <= event.items():
                return event

    async def completes(self) -> None:
        """Nothing more, and said so."""
        frame = await self.wire.frame_of(self.id)
        assert frame["type"] == "complete", frame

    async def error(self) -> dict[str, Any]:
        """The error that it came to."""
        frame = await self.wire.frame_of(self.id)
        assert frame["type"] == "error", frame
        return frame["payload"][0]  # type: ignore[no-any-return]
