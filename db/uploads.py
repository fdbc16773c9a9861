"""Uploads, as their owner deals with them: asked for within the limits, read, said to be there."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from db.errors import PictureError, QuotaExceededError, RateLimitError
from db.limits import DAY_SECONDS, Allowance
from db.tables import UploadRow

# A PUT that began in the last moment of its address may still be on its way.
WRITING_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What its owner promises to send, and where to."""

    id: UUID
    filename: str
    content_type: str
    size: int
    object_key: str
    hours: float  # that it waits


# What is promised counts like what is stored until the upload has ended: the guard holds for both, whoever else asks.
CREATE = text("""
    with today as (select date_trunc('day', now(), 'UTC') as day), owner as (
        update user_rate_limits l set
            uploads_day_started_at = today.day,
            uploads_today = case when l.uploads_day_started_at = today.day then l.uploads_today else 0 end + 1,
            upload_bytes = l.upload_bytes + :size
        from today
        where l.user_id = :user_id
            and case when l.uploads_day_started_at = today.day then l.uploads_today else 0 end < :per_day
            and l.storage_bytes_used + l.upload_bytes + :size <= :storage_bytes
        returning l.user_id
    ), announced as (
        insert into objects (key, kind, user_id, upload_id, writable_until)
        select :object_key, 'upload', user_id, :id,
            now() + make_interval(secs => cast(:seconds as float8) + :writing_seconds)
        from owner
    )
    insert into uploads (id, user_id, filename, content_type, size, object_key, expires_at)
    select :id, user_id, :filename, :content_type, :size, :object_key,
        now() + make_interval(secs => cast(:seconds as float8))
    from owner
    returning id
""")


async def create(session: AsyncSession, owner: UUID, new: NewUpload, allowance: Allowance) -> UploadRow:
    """A PENDING upload, its object announced. Raises RateLimitError, QuotaExceededError; then nothing is written."""
    values: dict[str, Any] = {
        "id": new.id,
        "user_id": owner,
        "filename": new.filename,
        "content_type": new.content_type,
        "size": new.size,
        "object_key": new.object_key,
        "seconds": new.hours * 3600,
        "writing_seconds": WRITING_SECONDS,
        "per_day": allowance.uploads_per_day,
        "storage_bytes": allowance.storage_bytes,
    }
    if await session.scalar(CREATE, values) is None:
        raise await _refusal(session, owner, new.size, allowance)
    return (await session.scalars(select(UploadRow).where(col(UploadRow.id) == new.id))).one()


USED = text("""
    select storage_bytes_used + upload_bytes as bytes,
        case when uploads_day_started_at = date_trunc('day', now(), 'UTC') then uploads_today else 0 end as today
    from user_rate_limits where user_id = :user_id
""")


async def _refusal(session: AsyncSession, owner: UUID, size: int, allowance: Allowance) -> PictureError:
    used = (await session.execute(USED, {"user_id": owner})).one()
    if used.bytes + size > allowance.storage_bytes:
        return QuotaExceededError(limit=allowance.storage_bytes, used=used.bytes, path=("input", "size"))
    now = datetime.now(UTC)
    tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    wait = int((tomorrow - now).total_seconds()) + 1
    return RateLimitError(
        f"No more than {allowance.uploads_per_day} uploads a day; try again in {-(-wait // 60)} min.",
        limit=allowance.uploads_per_day,
        window_seconds=DAY_SECONDS,
        retry_after_seconds=wait,
    )


async def get(session: AsyncSession, id: UUID) -> UploadRow | None:
    """One upload that the session may see."""
    query = select(UploadRow).where(col(UploadRow.id) == id).execution_options(populate_existing=True)
    return (await session.scalars(query)).one_or_none()


# From here on no address is given out: those that were are good for `put_seconds` more, at most.
COMPLETE = text("""
    with completed as (
        update uploads set status = 'processing', due_at = now(), completed_at = now(), updated_at = now(),
            expires_at = now() + make_interval(secs => 3600 * cast(:hours as float8))
        where id = :id and user_id = picture.viewer_id() and status = 'pending' and expires_at > now()
        returning id, object_key
    ), closed as (
        update objects o set writable_until = least(o.writable_until,
            now() + make_interval(secs => cast(:put_seconds as float8) + :writing_seconds)), updated_at = now()
        from completed where o.key = completed.object_key
    )
    select id from completed
""")


async def complete(session: AsyncSession, id: UUID, *, put_seconds: float, hours: float) -> bool:
    """PENDING becomes PROCESSING, to be checked within `hours`; False when it was not PENDING any more."""
    values = {"id": id, "put_seconds": put_seconds, "hours": hours, "writing_seconds": WRITING_SECONDS}
    return await session.scalar(COMPLETE, values) is not None


AWAITS = text("select picture.awaits_bytes(:id)")


async def awaits_bytes(session: AsyncSession, id: UUID) -> bool | None:
    """Whether it still takes its bytes, None when there is none; ask only when its address has been verified."""
    found: bool | None = await session.scalar(AWAITS, {"id": id})
    return found
