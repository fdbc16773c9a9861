"""A person at the public API, who does as an app would."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

MODEL = "flux-schnell"
STEPS = 4
PROMPT = "a red fox in the snow"
AVAILABLE = "{ models { slug isAvailable } }"
CREATE = """mutation Create($input: CreateGenerationInput!) { createGeneration(input: $input) {
  generation { id status prompt seed width height createdAt model { slug } } errors { message code path } } }"""
WATCH = """subscription Watch { myGenerationEvents(progress: false) {
  __typename cursor at generation { id status } ... on GenerationCompleted { images { id url } } } }"""


class BenchError(Exception):
    """The bench cannot go on."""


@dataclass(slots=True)
class Seen:
    """When a person asked for a generation, and what they heard of it when; in seconds of `time.time`."""

    id: str
    asked_at: float = 0.0
    answered_at: float = 0.0
    heard_at: dict[str, float] = field(default_factory=dict)  # by the event's type
    completed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Person:
    """Somebody with a token, who may be watching."""

    http: aiohttp.ClientSession
    address: str
    token: str
    _seen: dict[str, Seen] = field(default_factory=dict)  # by the generation's id; news may come before the answer

    async def can_generate(self) -> bool:
        """Whether the API answers, and has a worker for the model."""
        try:
            models = (await self._query(AVAILABLE, {}))["models"]
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
        return any(model["isAvailable"] for model in models if model["slug"] == MODEL)

    async def create(self, seed: int) -> Seen:
        """Ask for one small picture."""
        asked = {"model": MODEL, "prompt": PROMPT, "width": 256, "height": 256, "steps": STEPS, "seed": seed}
        asked_at = time.time()
        payload = (await self._query(CREATE, {"input": asked}))["createGeneration"]
        answered_at = time.time()
        if payload["errors"]:
            raise BenchError(f"The API refuses: {payload['errors']}")
        seen = self._of(payload["generation"]["id"])
        seen.asked_at, seen.answered_at = asked_at, answered_at
        return seen

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Hear of every change of one's own generations while inside."""
        async with self.http.ws_connect(f"{self.address}/graphql", protocols=["graphql-transport-ws"]) as socket:
            await socket.send_json({"type": "connection_init", "payload": self._headers})
            await socket.receive_json()
            await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": WATCH}})
            listening = asyncio.create_task(self._listen(socket))
            try:
                yield
            finally:
                listening.cancel()

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            now = time.time()
            body = orjson.loads(message.data)
            if body["type"] == "ping":
                await socket.send_json({"type": "pong"})
            elif body["type"] == "next":
                self._hear(body["payload"]["data"]["myGenerationEvents"], now)

    def _hear(self, event: dict[str, Any], now: float) -> None:
        seen = self._of(event["generation"]["id"])
        seen.heard_at.setdefault(event["__typename"], now)
        if event["__typename"] == "GenerationCompleted":
            seen.completed.set()

    def _of(self, id: str) -> Seen:
        return self._seen.setdefault(id, Seen(id))

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def _query(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        body = {"query": document, "variables": variables}
        async with self.http.post(f"{self.address}/graphql", json=body, headers=self._headers) as answer:
            answered = orjson.loads(await answer.read())
        if answered.get("errors"):
            raise BenchError(f"The API refuses: {answered['errors']}")
        data: dict[str, Any] = answered["data"]
        return data
