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
TOLD = "select kind from generation_events where user_id = $1 order by seq"


@dataclass
class Follower:
    """What one person was told, over however many connections."""

    person: Client
    seen: list[tuple[str, str]] = field(default_factory=list)
    cursor: str | None = None
    first: str = ""
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
        """Every change of status was told, once and in order."""
        async with up.database() as connection:
            owner = await connection.fetchval(OWNER, UUID(self.first))
            told = [row["kind"] for row in await connection.fetch(TOLD, owner)]
        assert [kind for kind, _ in self.seen] == told[-len(self.seen) :], (self.seen, told)
        assert len(told) - len(self.seen) <= 1, "of the first, its being queued may have been before we listened"


@asynccontextmanager
async def follow(up: Up, person: Client) -> AsyncIterator[Follower]:
    """A follower that has a cursor already."""
    follower = Follower(person)
    following = asyncio.create_task(follower.follow())
    try:
        first = await person.create_generation(prompt="the first of a follower")
        follower.first = raw_id(first["id"])
        await follower.until_heard("completed", first["id"])
        yield follower
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


def raw_id(id: str) -> str:
    """The row's id in a global one."""
    return base64.b64decode(id).decode().split(":", 1)[1]
