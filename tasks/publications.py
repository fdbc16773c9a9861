"""Telling of new public images: read once for all who listen in a process, and no more than it can bear.

Nothing is replayed. What comes faster than it can be told is passed over, the oldest first; who is slow loses more.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from db import publications
from db.database import Database
from db.tables import ImageRow
from tasks.events import Events
from tasks.hub import Hub
from tasks.news import Heard
from tasks.topics import PUBLISHED
from tasks.watch import POSTGRES_ERRORS

log = structlog.get_logger(__name__)

AT_ONCE = 10  # images that are read, and may wait for one listener
TELL_SECONDS = 0.0005  # for each image and listener, kept free for all else that this process does
REMEMBERED = 1000  # publications that are not told again


async def announce(events: Events, image_id: UUID) -> None:
    """Say that everybody may see this image from now on, once that is committed."""
    await events.announce(PUBLISHED, {"image": str(image_id)})


@dataclass(frozen=True, slots=True)
class Publication(Heard):
    """A public image, as all who listen share it."""

    row: ImageRow
    tags: frozenset[str]


class Reader:
    """One listener: the newest publications that carry all of its tags."""

    def __init__(self, tags: Collection[str]) -> None:
        self._tags = frozenset(tags)
        self._waiting: deque[Publication] = deque(maxlen=AT_ONCE)
        self._awake = asyncio.Event()

    def hear(self, publication: Publication) -> None:
        """Take it in, if it is wanted."""
        if self._tags <= publication.tags:
            self._waiting.append(publication)
            self._awake.set()

    async def next(self) -> Publication:
        """What to tell next."""
        while not self._waiting:
            self._awake.clear()
            await self._awake.wait()
        return self._waiting.popleft()


class Publications:
    """All who listen in one process. Hears of nothing while nobody does."""

    def __init__(self, hub: Hub, db: Database) -> None:
        self._hub = hub
        self._db = db
        self._readers: set[Reader] = set()
        self._told: dict[UUID, None] = {}
        self._telling: asyncio.Task[None] | None = None
        self._is_attached = asyncio.Event()

    @asynccontextmanager
    async def listen(self, tags: Collection[str] = ()) -> AsyncIterator[Reader]:
        """Hear of what is announced once this has been entered, unless it is lost."""
        reader = Reader(tags)
        self._readers.add(reader)
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())
        try:
            await self._is_attached.wait()
            yield reader
        finally:
            self._readers.discard(reader)
            if not self._readers and self._telling:
                self._telling.cancel()
                self._telling = None
                self._is_attached = asyncio.Event()

    async def _tell(self) -> None:
        attached = self._is_attached
        async with self._hub.topic(PUBLISHED) as topic:
            attached.set()
            while True:
                if (fact := await topic.next()) is None:
                    continue  # what was missed is not replayed
                found = await self._read([fact, *topic.rest()][-AT_ONCE:])
                for publication in found:
                    for reader in self._readers:
                        reader.hear(publication)
                await asyncio.sleep(len(found) * len(self._readers) * TELL_SECONDS)

    async def _read(self, facts: Iterable[dict[str, Any]]) -> list[Publication]:
        """What nobody here has been told yet; nothing while Postgres is away."""
        images, generations = _ids(facts, "image"), _ids(facts, "generation")
        try:
            found = await publications.read(self._db, images, generations)
        except POSTGRES_ERRORS as error:
            log.warning("postgres_away", half="publications", error=type(error).__name__)
            return []
        return [Publication(each.row, each.tags) for each in found[-AT_ONCE:] if self._is_new(each.row)]

    def _is_new(self, row: ImageRow) -> bool:
        """Each time that everybody begins to see an image it gets another publication."""
        if row.publication_id is None or row.publication_id in self._told:
            return False
        self._told[row.publication_id] = None
        if len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
        return True


def _ids(facts: Iterable[dict[str, Any]], kind: str) -> list[UUID]:
    """The ids of a kind; what is none comes from another release."""
    found = []
    for fact in facts:
        try:
            found.append(UUID(fact[kind]))
        except (KeyError, ValueError, TypeError, AttributeError):
            continue
    return found
