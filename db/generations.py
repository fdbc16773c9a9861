"""What a person does with generations: one statement each, guarded, telling what it changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Select, func, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from db import events, paging, submissions
from db.creating import create, replay
from db.enums import EventKind, GenerationStatus
from db.errors import ConflictError, InvalidInputError, NotFoundError
from db.events import OPEN, Changed
from db.idempotency import IdempotencyKey
from db.limits import Allowance
from db.request import NewGeneration
from db.tables import GenerationRow, ModelRow

Row = TypeVar("Row")

__all__ = [
    "Allowance",
    "GenerationFilter",
    "IdempotencyKey",
    "NewGeneration",
    "cancel",
    "count",
    "create",
    "delete",
    "get",
    "page",
    "replay",
    "retry",
]


@dataclass(frozen=True, slots=True)
class GenerationFilter:
    """Which of the caller's generations; what is None does not narrow."""

    status: Sequence[GenerationStatus] | None = None
    model_id: UUID | None = None
    batch_id: UUID | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


async def get(session: AsyncSession, id: UUID) -> GenerationRow | None:
    """One generation that the session may see."""
    return (await session.scalars(select(GenerationRow).where(col(GenerationRow.id) == id))).one_or_none()


async def page(
    session: AsyncSession, owner: UUID, request: paging.PageRequest, filter: GenerationFilter
) -> paging.Page[GenerationRow]:
    """The owner's, newest first."""
    query = _narrow(select(GenerationRow).where(col(GenerationRow.user_id) == owner), filter)
    return await paging.fetch(session, query, request, col(GenerationRow.created_at), col(GenerationRow.id))


async def count(session: AsyncSession, owner: UUID, filter: GenerationFilter) -> int:
    """How many `page` would go through."""
    query = _narrow(select(func.count()).select_from(GenerationRow).where(col(GenerationRow.user_id) == owner), filter)
    return await session.scalar(query) or 0


def _narrow(query: Select[Row], filter: GenerationFilter) -> Select[Row]:
    if filter.status is not None:
        query = query.where(col(GenerationRow.status).in_(filter.status))
    if filter.model_id:
        query = query.where(col(GenerationRow.model_id) == filter.model_id)
    if filter.batch_id:
        query = query.where(col(GenerationRow.batch_id) == filter.batch_id)
    if filter.created_after:
        query = query.where(col(GenerationRow.created_at) > filter.created_after)
    if filter.created_before:
        query = query.where(col(GenerationRow.created_at) < filter.created_before)
    return query


CANCEL_QUEUED = events.change(
    """with changed as (
    update image_generations set status = 'canceled', completed_at = now(), updated_at = now(),
        reserved_by = null, lease_until = null, not_before = null
    where id = :id and status = 'queued' and user_id = picture.viewer_id()
    returning *
)""",
    owner=events.REFUND,
)
CANCEL_PROCESSING = events.change("""with changed as (
    update image_generations set status = 'canceling', updated_at = now()
    where id = :id and status = 'processing' and user_id = picture.viewer_id()
    returning *
)""")


async def cancel(session: AsyncSession, id: UUID) -> Changed:
    """QUEUED becomes CANCELED, PROCESSING becomes CANCELING; nothing changes when it is either already.

    Raises NotFoundError, and ConflictError when it has ended otherwise.
    """
    while True:
        if changed := await events.run(session, CANCEL_QUEUED, [EventKind.CANCELED], {"id": id}):
            return changed
        if changed := await events.run(session, CANCEL_PROCESSING, [EventKind.CANCELING], {"id": id}):
            return changed
        row = await _require(session, id)
        if row.status in {GenerationStatus.CANCELING, GenerationStatus.CANCELED}:
            return Changed(row)
        if row.status.is_final:
            raise ConflictError(f"It is {row.status.name} already.", path=("id",))
        session.expire_all()  # it moved between QUEUED and PROCESSING while we looked


async def retry(session: AsyncSession, owner: UUID, id: UUID, allowance: Allowance) -> Changed:
    """A new generation like a FAILED or CANCELED one; or the one that was asked for before, while that has not ended.

    Raises NotFoundError, ConflictError, InvalidInputError when its model is gone, and what `create` raises.
    """
    row = await _require(session, id, lock=True)  # two at once: the second finds the first's
    if row.status not in {GenerationStatus.FAILED, GenerationStatus.CANCELED}:
        raise ConflictError(
            f"Only a FAILED or CANCELED generation can be retried; it is {row.status.name}.", path=("id",)
        )
    open_retry = select(GenerationRow).where(col(GenerationRow.retry_of) == id, col(GenerationRow.status).in_(OPEN))
    if existing := (await session.scalars(open_retry)).first():
        return Changed(existing)
    model = (await session.scalars(select(ModelRow).where(col(ModelRow.id) == row.model_id))).one()
    if not model.is_active:
        raise InvalidInputError(f"{model.name} is no longer offered.", path=("id",), code="MODEL_UNAVAILABLE")
    return (await submissions.within(session, owner, [NewGeneration.like(row, model)], allowance))[0]


DELETE = text("delete from image_generations where id = :id and user_id = picture.viewer_id()")
LOCK_ITS_BATCH = text("""
    select id from batch_generations where id = (select batch_id from image_generations where id = :id) for update
""")
DELETE_IF_EMPTY = text("""
    delete from batch_generations b where id = :id and not exists (select from image_generations where batch_id = b.id)
""")


async def delete(session: AsyncSession, id: UUID) -> Changed:
    """Delete one, canceling a QUEUED one first; its images stay, and its batch does until it is empty.

    Raises NotFoundError, ConflictError while it runs.
    """
    batch_id = await session.scalar(LOCK_ITS_BATCH, {"id": id})
    row = await _require(session, id, lock=True)
    if row.status in {GenerationStatus.PROCESSING, GenerationStatus.CANCELING}:
        raise ConflictError("It is running; cancel it first.", path=("id",))
    changed = await events.run(session, CANCEL_QUEUED, [EventKind.CANCELED], {"id": id})
    await session.execute(DELETE, {"id": id})
    if batch_id:
        await session.execute(DELETE_IF_EMPTY, {"id": batch_id})
    return changed or Changed(row)


async def _require(session: AsyncSession, id: UUID, *, lock: bool = False) -> GenerationRow:
    query = select(GenerationRow).where(col(GenerationRow.id) == id)
    row = (await session.scalars(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such generation.", path=("id",), missing_id=id)
    return row
