"""Looks at Postgres on behalf of all streams of a process: one statement a look, however many listen."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from db import events, queue
from db.claims import ANONYMOUS
from db.database import Database
from db.queue import Place, QueueRules
from tasks.listener import Listener

T = TypeVar("T")
Listeners = Callable[[], Iterable[Listener]]

log = structlog.get_logger(__name__)

# asyncpg's own come through unwrapped while a connection is being made.
POSTGRES_ERRORS = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


class Watch:
    """What Redis does not say, or has dropped: newer numbers, and places in the queue."""

    def __init__(self, db: Database, rules: QueueRules) -> None:
        self._db = db
        self._rules = rules
        self._is_blind = False
        self._asked: set[UUID] = set()
        self._look: asyncio.Task[dict[UUID, Place]] | None = None

    async def check_silence(self, listeners: Listeners, every_seconds: float) -> None:
        """For ever: have those catch up whose owner has a number that they have not heard of."""
        while True:
            await asyncio.sleep(every_seconds)
            owners = {listener.owner for listener in listeners()}
            heads = await self._attempt(self._heads(owners)) if owners else {}
            for listener in listeners():
                listener.check(heads.get(listener.owner, 0))

    async def tell_moves(self, listeners: Listeners, every_seconds: float) -> None:
        """For ever: tell those who wait in the queue where they stand now."""
        while True:
            await asyncio.sleep(every_seconds)
            waiting = {id for listener in listeners() for id in listener.places}
            places = await self._attempt(self._places(waiting)) if waiting else {}
            for listener in listeners():
                for id in listener.places.keys() & places.keys():
                    listener.move(id, places[id])

    async def places(self, ids: Iterable[UUID]) -> dict[UUID, Place]:
        """Where these stand; all that is asked in one turn of the loop is one statement. Empty without Postgres."""
        self._asked.update(ids)
        self._look = self._look or asyncio.create_task(self._shared_look())
        return await asyncio.shield(self._look)  # another stream may be waiting for it, too

    async def _shared_look(self) -> dict[UUID, Place]:
        await asyncio.sleep(0)
        ids, self._asked, self._look = self._asked, set(), None
        return await self._attempt(self._places(ids))

    async def _heads(self, owners: set[UUID]) -> dict[UUID, int]:
        async with self._db.as_user(ANONYMOUS) as session:
            return await events.heads(session, owners)

    async def _places(self, ids: set[UUID]) -> dict[UUID, Place]:
        async with self._db.as_user(ANONYMOUS) as session:
            return await queue.places(session, list(ids), self._rules)

    async def _attempt(self, look: Awaitable[dict[UUID, T]]) -> dict[UUID, T]:
        """What was seen; nothing while Postgres is away: the next look is soon."""
        try:
            seen = await look
        except POSTGRES_ERRORS as error:
            if not self._is_blind:
                log.warning("postgres_away", half="watch", error=type(error).__name__)
            self._is_blind = True
            return {}
        self._is_blind = False
        return seen
