"""A subscriber on a bad network: it resumes behind its last cursor, as an app does, and keeps account."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

import aiohttp

from tests.client import Client, ClosedError
from tests.crash.up import Up

KINDS = {
    "GenerationQueued": "queued",
    "GenerationStarted": "started",
    "GenerationCanceling": "canceling",
    "GenerationCompleted": "completed",
    "GenerationFailed": "failed",
    "GenerationCanceled": "canceled",
}
OWNER = "select user_id from image_generations where id = $1"
TOLD = "select kind from generation_events where user_id = $1 and generation_id <> $2 order by seq"


@dataclass
class Follower:
    """What one person was told, over however many connections."""

    person: Client
    first: str
    cursor: str
    seen: list[tuple[str, str]] = field(default_factory=list)
    connections: int = 0
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def follow(self) -> None:
        """Listen for ever."""
        while True:
            with suppress(aiohttp.ClientError, ClosedError, OSError, AssertionError):
                async with self.person.events(after=self.cursor, progress=False) as events:
                    self.connections += 1
                    async for event in events:
                        await self._note(event["__typename"], event["generation"]["id"], event["cursor"])
            await asyncio.sleep(0.05)

    async def _note(self, name: str, id: str, cursor: str) -> None:
        async with self.heard:
            self.cursor = cursor
            if name in KINDS:
                self.seen.append((KINDS[name], id))
            self.heard.notify_all()

    async def until_heard(self, kind: str, id: str) -> None:
        """Wait until this was told."""
        async with asyncio.timeout(40), self.heard:
            await self.heard.wait_for(lambda: (kind, id) in self.seen)

    async def check(self, up: Up) -> None:
        """Every change of status since the first was told, once and in order."""
        async with up.database() as connection:
            owner = await connection.fetchval(OWNER, UUID(self.first))
            told = [row["kind"] for row in await connection.fetch(TOLD, owner, UUID(self.first))]
        assert [kind for kind, _ in self.seen] == told, (self.seen, told)


@asynccontextmanager
async def follow(up: Up, person: Client) -> AsyncIterator[Follower]:
    """A follower who begins behind the end of their first generation."""
    first = await person.create_generation(prompt="the first of a follower")
    async with person.events(id=first["id"]) as events:
        cursor = [event["cursor"] async for event in events][-1]
    follower = Follower(person, raw_id(first["id"]), cursor)
    following = asyncio.create_task(follower.follow())
    try:
        yield follower
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


def raw_id(id: str) -> str:
    """The row's id in a global one."""
    return base64.b64decode(id).decode().split(":", 1)[1]
