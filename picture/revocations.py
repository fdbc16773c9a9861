"""Who is gone: turned away here at once when it is told, within seconds when it is not; what they watch ends."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import structlog

from db import profiles
from db.database import Database
from picture import failures
from tasks import revocations
from tasks.hub import Hub

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 0.1  # who goes by a mutation over their own socket hears that they are gone, then it ends
LOOKS = 2  # within the time in which somebody who is gone must be noticed: one look may be lost


class Revocations:
    """What one process knows of it. Postgres decides; this only remembers, and for no longer than it has to."""

    def __init__(self, db: Database, seconds: float = 5) -> None:
        self._db = db
        self._seconds = seconds
        self._gone: dict[UUID, float] = {}
        self._watched: defaultdict[UUID, set[Callable[[], None]]] = defaultdict(set)

    def revoke(self, person: UUID) -> None:
        """Turn them away from now on, and end what they watch."""
        now = time.monotonic()
        # Whoever was let in by a look of before has been asked about anew by then.
        self._gone = {one: until for one, until in self._gone.items() if until > now}
        self._gone[person] = now + 2 * self._seconds
        for end in self._watched.get(person, ()):
            asyncio.get_running_loop().call_later(ANSWER_SECONDS, end)

    def is_gone(self, person: UUID) -> bool:
        """Whether that has been heard of lately; what is older, a look at Postgres says."""
        return self._gone.get(person, 0) > time.monotonic()

    @contextmanager
    def watch(self, person: UUID | None, end: Callable[[], None]) -> Iterator[None]:
        """Have `end` called should this person go while this is open; nobody never goes."""
        if person is None:
            yield
            return
        self._watched[person].add(end)
        try:
            yield
        finally:
            self._watched[person].discard(end)
            if not self._watched[person]:
                del self._watched[person]

    async def look(self) -> None:
        """Ask Postgres about those who watch something: one statement, however many."""
        if not self._watched:
            return
        for person in await profiles.revoked_among(self._db, list(self._watched)):
            self.revoke(person)

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._seconds / LOOKS)
            try:
                await self.look()
            except Exception as error:
                if failures.judge(error).code == failures.INTERNAL:
                    log.exception("revocations_broke")  # a mistake of ours must not leave a process blind
                else:
                    log.warning("revocations_unknown", error=type(error).__name__)

    async def _hear_for_ever(self, hub: Hub) -> None:
        async for person in revocations.listen(hub):
            if person:
                self.revoke(person)

    @asynccontextmanager
    async def follow(self, hub: Hub) -> AsyncIterator[None]:
        """Know of them while this is open."""
        tasks = [asyncio.create_task(self._look_for_ever()), asyncio.create_task(self._hear_for_ever(hub))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
