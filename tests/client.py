"""A person at the public API: what an app would do, over real HTTP and a real WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Self
from uuid import UUID

import aiohttp

GENERATION = """fragment G on Generation {
  id status stage progress prompt negativePrompt width height steps guidance seed imageCount mode attempt
  queuePosition heldReason etaSeconds createdAt startedAt completedAt durationSeconds strength
  model { slug } failure { code message retryable stage node } retryOf { id } sourceImage { id }
  images { ...I }
}
fragment I on Image {
  id url thumbnailUrl downloadUrl urlExpiresAt width height format fileSize blurhash isPublic prompt seed }
"""
IMAGE_FRAGMENT = GENERATION[GENERATION.index("fragment I") :]
ERRORS = "errors { __typename message code path ... on RateLimitError { limit windowSeconds retryAfterSeconds } }"
CREATE = f"""mutation($input: CreateGenerationInput!) {{
  createGeneration(input: $input) {{ generation {{ ...G }} {ERRORS} }} }}"""
WATCH_MINE = """subscription($after: String, $progress: Boolean!, $previews: Boolean!) {
  myGenerationEvents(after: $after, progress: $progress, previews: $previews) { ...E } }"""
WATCH_ONE = """subscription($id: ID!, $after: String, $progress: Boolean!, $previews: Boolean!) {
  generationEvents(id: $id, after: $after, progress: $progress, previews: $previews) { ...E } }"""
EVENT = """fragment E on GenerationEvent { __typename cursor at generation { id status stage progress attempt }
  ... on GenerationProgressed { stage progress step steps }
  ... on GenerationPreviewed { dataUrl }
  ... on GenerationQueued { queuePosition }
  ... on GenerationQueueMoved { queuePosition heldReason }
  ... on GenerationCompleted { images { id url } }
  ... on GenerationFailed { willRetry failure { code message retryable stage node } } }"""


class RefusedError(Exception):
    """The API answered with GraphQL errors."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(str(errors))
        self.errors = errors

    @property
    def code(self) -> str | None:
        """The first one's `extensions.code`."""
        code: str | None = self.errors[0].get("extensions", {}).get("code")
        return code


class ClosedError(Exception):
    """The server closed the socket."""

    def __init__(self, code: int | None, reason: str | None = None) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code


def data_of(body: dict[str, Any]) -> dict[str, Any]:
    """The answer's data. Raises RefusedError when there are errors."""
    if body.get("errors"):
        raise RefusedError(body["errors"])
    data: dict[str, Any] = body["data"]
    return data


@dataclass
class Client:
    """One person, or nobody when there is no token."""

    http: aiohttp.ClientSession
    address: str
    token: str | None = None
    sub: UUID | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What signs a request in."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def at(self, address: str) -> "Client":
        """The same person at another replica."""
        return Client(self.http, address, self.token, self.sub)

    async def post(self, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON of one request, whatever it is."""
        async with self.http.post(f"{self.address}/graphql", json=body, headers={**self.headers, **headers}) as answer:
            return answer.status, await answer.json(content_type=None)

    async def query(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data of an operation. Raises RefusedError."""
        _, body = await self.post({"query": document, "variables": variables})
        return data_of(body)

    async def create(self, **input: Any) -> dict[str, Any]:
        """The payload of createGeneration; small and quick unless said otherwise."""
        asked = {"model": "flux-schnell", "prompt": "a red fox", "width": 256, "height": 256, **input}
        return dict((await self.query(CREATE + GENERATION, input=asked))["createGeneration"])

    async def create_generation(self, **input: Any) -> dict[str, Any]:
        """A generation that was accepted."""
        payload = await self.create(**input)
        assert payload["errors"] == [], payload["errors"]
        return dict(payload["generation"])

    async def get_generation(self, id: str) -> dict[str, Any] | None:
        """The generation, or None when there is none to see."""
        found = await self.query("query($id: ID!) { generation(id: $id) { ...G } }" + GENERATION, id=id)
        return None if found["generation"] is None else dict(found["generation"])

    async def require_generation(self, id: str) -> dict[str, Any]:
        """The generation, which is there."""
        found = await self.get_generation(id)
        assert found is not None
        return found

    async def mutate(self, name: str, returns: str, **arguments: Any) -> dict[str, Any]:
        """The payload of a mutation that takes `id` or `input`."""
        kinds = {"id": "ID!", "input": f"{name[0].upper()}{name[1:]}Input!"}
        declared = ", ".join(f"${key}: {kinds[key]}" for key in arguments)
        given = ", ".join(f"{key}: ${key}" for key in arguments)
        fragments = GENERATION if "...G" in returns else IMAGE_FRAGMENT if "...I" in returns else ""
        document = f"mutation({declared}) {{ {name}({given}) {{ {returns} {ERRORS} }} }}{fragments}"
        return dict((await self.query(document, **arguments))[name])

    async def cancel(self, id: str) -> dict[str, Any]:
        """The payload of cancelGeneration."""
        return await self.mutate("cancelGeneration", "generation { ...G }", id=id)

    async def until(self, id: str, *statuses: str, seconds: float = 30) -> dict[str, Any]:
        """The generation once it has one of these statuses; fails saying what it saw last."""
        seen: list[str] = []
        try:
            async with asyncio.timeout(seconds), self.events(id=id, progress=False) as events:
                async for event in events:
                    seen.append(f"{event['__typename']}:{event['generation']['status']}")
                    if event["generation"]["status"] in statuses:
                        return await self.require_generation(id)
        except TimeoutError:
            raise AssertionError(f"{id} is not {statuses} after {seconds} s; seen: {seen}") from None
        found = await self.require_generation(id)
        assert found["status"] in statuses, f"{id} is {found['status']}, not {statuses}; seen: {seen}"
        return found

    @asynccontextmanager
    async def events(
        self, *, id: str | None = None, after: str | None = None, progress: bool = True, previews: bool = False
    ) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """A subscription: events until it completes. Raises RefusedError, ClosedError."""
        variables = {"after": after, "progress": progress, "previews": previews}
        async with self.socket() as socket:
            if id is None:
                yield socket.subscribe(WATCH_MINE + EVENT, "myGenerationEvents", variables)
            else:
                yield socket.subscribe(WATCH_ONE + EVENT, "generationEvents", {**variables, "id": id})

    @asynccontextmanager
    async def socket(self, *, init: bool = True) -> AsyncIterator["Socket"]:
        """A connection that has been acknowledged, unless `init` is false."""
        address = f"{self.address}/graphql"
        async with self.http.ws_connect(address, protocols=["graphql-transport-ws"], max_msg_size=0) as ws:
            socket = Socket(ws)
            if init:
                await socket.init(self.headers)
            yield socket


@dataclass
class Socket:
    """graphql-transport-ws by hand."""

    ws: aiohttp.ClientWebSocketResponse
    _ids: Any = field(default_factory=count)

    async def init(self, payload: dict[str, Any]) -> Self:
        """Say who we are, and wait for the answer."""
        await self.ws.send_json({"type": "connection_init", "payload": payload})
        message = await self.receive()
        assert message["type"] == "connection_ack", message
        return self

    async def receive(self) -> dict[str, Any]:
        """The next message but pings, which are answered. Raises ClosedError."""
        while True:
            message = await self.ws.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise ClosedError(self.ws.close_code, message.extra)
            body: dict[str, Any] = message.json()
            if body["type"] != "ping":
                return body
            await self.ws.send_json({"type": "pong"})

    async def subscribe(self, document: str, name: str, variables: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """The values of one subscription's field."""
        id = str(next(self._ids))
        payload = {"query": document, "variables": variables}
        await self.ws.send_json({"id": id, "type": "subscribe", "payload": payload})
        while True:
            message = await self.receive()
            if message.get("id") != id:
                continue
            if message["type"] == "complete":
                return
            if message["type"] == "error":
                raise RefusedError(message["payload"])
            yield data_of(message["payload"])[name]
