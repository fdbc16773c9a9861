"""Following one batch: as it is, then each time that one of its generations changes status, to its end."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

from db import batches, events
from db.batches import Batch
from db.claims import Claims
from db.database import Database
from db.errors import BadRequestError
from tasks.hub import Hub
from tasks.listener import Listener, Wish
from tasks.news import Change
from tasks.watch import POSTGRES_ERRORS

RETRY_SECONDS = 1.0


async def follow(hub: Hub, db: Database, claims: Claims, batch_id: UUID) -> AsyncGenerator[Batch | None, None]:
    """None once it has begun, then the batch as it is each time; without a database session while it waits.

    Raises BadRequestError when it is not there. Ends with the batch, or when that is deleted.
    """
    assert claims.sub, "only a person has batches"
    async with hub.attach(claims.sub, Wish(progress=False)) as listener:
        told = await _look(db, claims, listener, batch_id)
        if told is None:
            raise BadRequestError("There is no such batch.", path=("id",))
        yield None
        yield told
        while not told.is_over:
            news = await listener.next()
            if news is not None and not (isinstance(news, Change) and news.row.batch_id == batch_id):
                continue
            try:
                found = await _look(db, claims, None if news else listener, batch_id)
            except POSTGRES_ERRORS:
                listener.fall_behind()
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if found is None:
                return
            if news or found != told:
                yield found
            told = found


async def _look(db: Database, claims: Claims, listener: Listener | None, batch_id: UUID) -> Batch | None:
    """The batch as it is now; `listener` goes on behind what was known before that was read."""
    async with db.as_user(claims) as session:
        if listener:
            listener.is_behind = False  # what is missed from here on counts again
            heads = await events.heads(session, [listener.owner])
            listener.begin(heads.get(listener.owner, 0), ())
        return (await batches.by_ids(session, [batch_id])).get(batch_id)
