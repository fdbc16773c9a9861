"""Batches: several generations asked for together, against the limits as one.

A place of a batch may have had several generations, each a retry of the one before; the newest stands for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from db import generations, idempotency, neighbours, paging, submissions
from db.claims import Claims
from db.database import Database
from db.enums import BatchStatus
from db.errors import ConflictError, InvalidInputError, NotFoundError
from db.events import OPEN, Changed
from db.idempotency import IdempotencyKey
from db.limits import Allowance
from db.request import NewGeneration
from db.shown import GENERATIONS
from db.tables import BatchRow, GenerationRow, ModelRow


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as its generations make it, by the view `batch_progress`."""

    id: UUID
    name: str | None
    status: BatchStatus
    total_count: int
    completed_count: int
    failed_count: int
    canceled_count: int
    progress: float
    created_at: datetime
    completed_at: datetime | None
    items: Sequence[dict[str, Any]]

    @property
    def is_over(self) -> bool:
        """Whether all in it has ended; a retry opens it again."""
        return self.status not in {BatchStatus.PENDING, BatchStatus.PROCESSING}


BATCHES = text("""
    select batch_id as id, name, status, total_count, completed_count, failed_count, canceled_count, progress,
        created_at, completed_at, items
    from batch_progress where batch_id = any (cast(:ids as uuid[]))
""")
SHOWN = text("""
    select distinct on (batch_id, batch_index) * from image_generations where batch_id = any (cast(:ids as uuid[]))
    order by batch_id, batch_index, created_at desc, id desc
""")

# The same, as the neighbours of batches.
GENERATIONS_OF_BATCH = neighbours.many(
    GENERATIONS,
    "t.batch_id",
    """(select distinct on (batch_id, batch_index) * from image_generations where batch_id = any ({keys}::uuid[])
    order by batch_id, batch_index, created_at desc, id desc) t order by t.batch_id, t.batch_index""",
)


async def by_ids(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Batch]:
    """Those of these that the session may see."""
    rows = (await session.execute(BATCHES, {"ids": list(ids)})).mappings()
    return {row["id"]: Batch(**{**row, "status": BatchStatus(row["status"])}) for row in rows}


async def require(session: AsyncSession, id: UUID) -> Batch:
    """One batch. Raises NotFoundError."""
    found = (await by_ids(session, [id])).get(id)
    if found is None:
        raise NotFoundError("There is no such batch.", path=("id",), missing_id=id)
    return found


async def shown(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[GenerationRow]:
    """The newest generation of each place of these batches, by their places."""
    query = select(GenerationRow).from_statement(SHOWN)
    return (await session.scalars(query, {"ids": list(ids)})).all()


async def of_ids(db: Database, claims: Claims, ids: Sequence[UUID]) -> list[Batch | None]:
    """The batches of these ids that the caller may see; None where there is none."""
    async with db.as_user(claims) as session:
        found = await by_ids(session, ids)
    return [found.get(id) for id in ids]


async def page(session: AsyncSession, owner: UUID, request: paging.PageRequest) -> paging.Page[Batch]:
    """The owner's, newest first: two statements."""
    query = select(BatchRow).where(col(BatchRow.user_id) == owner)
    rows = await paging.fetch(session, query, request, col(BatchRow.created_at), col(BatchRow.id))
    found = await by_ids(session, [row.id for row in rows.rows])
    return paging.Page([found[row.id] for row in rows.rows], rows.has_next, rows.has_previous)


async def count(session: AsyncSession, owner: UUID) -> int:
    """How many `page` would go through."""
    query = select(func.count()).select_from(BatchRow).where(col(BatchRow.user_id) == owner)
    return await session.scalar(query) or 0


MAKE = text("insert into batch_generations (id, user_id, name, total_count) values (:id, :owner, :name, :count)")


async def replay(session: AsyncSession, owner: UUID, key: IdempotencyKey) -> Batch | None:
    """What the key has made with the same input, as it is now; None when there is nothing, or nothing left."""
    id = await idempotency.made(session, owner, key)
    return (await by_ids(session, [id])).get(id) if id else None


async def create(
    session: AsyncSession,
    owner: UUID,
    name: str | None,
    news: Sequence[NewGeneration],
    allowance: Allowance,
    *,
    key: IdempotencyKey | None = None,
) -> tuple[Batch, list[Changed]]:
    """A batch of these, all or none; or, under a key that was used, the one made then, as it is now.

    Raises as `generations.create` does; the session must be rolled back then.
    """
    id = uuid4()
    if key and (kept := await idempotency.keep(session, owner, key, batch_id=id)):
        batch = (await by_ids(session, [kept])).get(kept)
        if batch is None:
            raise idempotency.gone(kept)
        return batch, []
    await session.execute(MAKE, {"id": id, "owner": owner, "name": name, "count": len(news)})
    changed = await submissions.within(session, owner, [new.placed(id, i) for i, new in enumerate(news)], allowance)
    return await require(session, id), changed


# Before any of its generations: two that change a batch at once do it one after the other.
LOCK = text("select id from batch_generations where id = :id for update")
# All at once and in one order, before the owner's row: nothing moves on while its like is changed.
LOCK_GENERATIONS = text("""
    select id from image_generations where batch_id = :id and status = any (cast(:statuses as text[]))
    order by id for update
""")


async def cancel(session: AsyncSession, id: UUID) -> tuple[Batch, list[Changed]]:
    """Cancel all in it that has not ended; nothing changes when that is nothing. Raises NotFoundError."""
    await require(session, id)
    open_ids = await session.scalars(LOCK_GENERATIONS, {"id": id, "statuses": list(OPEN)})
    changed = [await generations.cancel(session, open_id) for open_id in open_ids.all()]
    return await require(session, id), changed


async def retry(session: AsyncSession, owner: UUID, id: UUID, allowance: Allowance) -> tuple[Batch, list[Changed]]:
    """New generations in the places of those that failed or were canceled; none for a place whose retry is open.

    Raises NotFoundError, ConflictError when nothing of it failed or was canceled, InvalidInputError when its model is
    gone, and what `create` raises.
    """
    await session.execute(LOCK, {"id": id})
    batch = await require(session, id)
    await session.execute(LOCK_GENERATIONS, {"id": id, "statuses": ["failed", "canceled"]})
    failed = [row for row in await shown(session, [id]) if row.status in {"failed", "canceled"}]
    if not failed:
        if batch.is_over:
            raise ConflictError("Nothing of it failed or was canceled.", path=("id",))
        return batch, []
    model = (await session.scalars(select(ModelRow).where(col(ModelRow.id) == failed[0].model_id))).one()
    if not model.is_active:
        raise InvalidInputError(f"{model.name} is no longer offered.", path=("id",), code="MODEL_UNAVAILABLE")
    again = [NewGeneration.like(row, model) for row in failed]
    changed = await submissions.within(session, owner, again, allowance)
    return await require(session, id), changed
