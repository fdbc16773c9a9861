"""Downloads are counted beside the answers: noted in memory, written together once a second.

So an answer waits for nothing, and a picture that thousands save is one change of its row a second, not a queue for its
lock. A process that is killed forgets what it noted in its last second.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import structlog

from db import downloads
from db.database import Database
from picture import failures

log = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0
MOST_PICTURES = 10_000  # that are noted while Postgres is away; what comes then is not counted


class Downloads:
    """What one process has to count."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._noted: Counter[UUID] = Counter()

    def note(self, image_id: UUID) -> None:
        """One more, of one picture."""
        if image_id in self._noted or len(self._noted) < MOST_PICTURES:
            self._noted[image_id] += 1

    async def write(self) -> None:
        """Write what is noted; while Postgres is away it stays noted."""
        noted, self._noted = self._noted, Counter()
        if not noted:
            return
        try:
            await downloads.count(self._db, noted)
        except Exception as error:
            if failures.judge(error).code == failures.INTERNAL:
                log.exception("downloads_not_counted")
                return
            self._noted += noted

    async def _write_for_ever(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.write()


@asynccontextmanager
async def open_downloads(db: Database) -> AsyncIterator[Downloads]:
    """One that writes while this is open, and once more at the end."""
    counting = Downloads(db)
    writing = asyncio.create_task(counting._write_for_ever())
    try:
        yield counting
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        await counting.write()
