"""The worker's verbs on uploads: take, extend, put off, then ready or rejected; and the sweep's: expire, forget.

Every write names the attempt and holds only while that is the newest: who comes back from the dead changes nothing.
All of it runs twice without harm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import SupersededError


@dataclass(frozen=True, slots=True)
class Check:
    """One try at an upload."""

    id: UUID
    attempt_id: UUID
    number: int
    object_key: str
    size: int

    @property
    def guard(self) -> dict[str, object]:
        """What a guard names it by."""
        return {"id": self.id, "attempt_id": self.attempt_id}


@dataclass(frozen=True, slots=True)
class ReceivedPicture:
    """What was made of an upload; its objects lie in storage."""

    storage_path: str
    medium_path: str
    small_path: str
    format: str
    file_size: int
    width: int
    height: int
    blurhash: str | None


# Oldest first, but whoever has none being checked before whoever has one: nobody's many keep others waiting. What
# another takes at this moment is passed over.
TAKE = text("""
    update uploads u set attempts = u.attempts + 1, attempt_id = gen_random_uuid(), updated_at = now(),
        due_at = now() + make_interval(secs => cast(:lease_seconds as float8))
    from (
        select w.id from uploads w where w.status = 'processing' and w.due_at <= now() and w.expires_at > now()
        order by exists (select from uploads h where h.user_id = w.user_id and h.status = 'processing'
                         and h.attempt_id is not null and h.due_at > now()), w.due_at
        limit 1 for update of w skip locked
    ) next where u.id = next.id
    returning u.id, u.attempt_id, u.attempts, u.object_key, u.size
""")
EXTEND = text("""
    update uploads set due_at = now() + make_interval(secs => cast(:lease_seconds as float8))
    where id = :id and attempt_id = :attempt_id and status = 'processing' returning id
""")
PUT_OFF = text("""
    update uploads set due_at = now() + make_interval(secs => cast(:seconds as float8)), attempt_id = null,
        attempts = attempts - case when :is_our_fault then 1 else 0 end, updated_at = now()
    where id = :id and attempt_id = :attempt_id and status = 'processing'
""")


async def take(session: AsyncSession, lease_seconds: float) -> Check | None:
    """The upload that has waited longest, ours for `lease_seconds`; None when nothing waits."""
    row = (await session.execute(TAKE, {"lease_seconds": lease_seconds})).one_or_none()
    return Check(*row) if row else None


async def extend(session: AsyncSession, check: Check, lease_seconds: float) -> None:
    """Keep it. Raises SupersededError: stop."""
    if await session.scalar(EXTEND, {**check.guard, "lease_seconds": lease_seconds}) is None:
        raise SupersededError


async def put_off(session: AsyncSession, check: Check, seconds: float, *, is_our_fault: bool) -> None:
    """Give it back, to be taken in so many seconds; what was our fault does not count against the file."""
    await session.execute(PUT_OFF, {**check.guard, "seconds": seconds, "is_our_fault": is_our_fault})


ANNOUNCE = text("""
    insert into objects (key, kind, user_id, upload_id, attempt_id)
    select key, 'image', u.user_id, u.id, u.attempt_id from uploads u, unnest(cast(:keys as text[])) as key
    where u.id = :id and u.attempt_id = :attempt_id and u.status = 'processing'
    for key share of u  -- as in `db.objects`
    on conflict (key) do update set updated_at = now() where objects.state = 'announced'
    returning key
""")


async def announce(session: AsyncSession, check: Check, keys: Sequence[str]) -> None:
    """Say what this attempt is about to write. Raises SupersededError when it may no longer."""
    if len((await session.execute(ANNOUNCE, {**check.guard, "keys": list(keys)})).all()) != len(keys):
        raise SupersededError


# The upload's row first, then its owner's: only if there is room do the rest happen. The image takes the upload's id,
# so that there cannot be two.
READY = text("""
    with held as materialized (
        select id, user_id, filename, size, object_key from uploads
        where id = :id and attempt_id = :attempt_id and status = 'processing'
            and 3 = (select count(*) from objects
                     where upload_id = :id and attempt_id = :attempt_id and kind = 'image' and state = 'announced')
        for update
    ), room as (
        update user_rate_limits l set storage_bytes_used = l.storage_bytes_used + :file_size,
            upload_bytes = greatest(l.upload_bytes - held.size, 0)
        from held where l.user_id = held.user_id and l.storage_bytes_used + :file_size <= :storage_bytes
        returning held.*
    ), stored as (
        insert into images (id, user_id, storage_path, medium_path, small_path, filename, format, file_size, width,
            height, blurhash)
        select id, user_id, :storage_path, :medium_path, :small_path, filename, :format, :file_size, :width, :height,
            :blurhash
        from room
    ), ended as (
        update uploads u set status = 'ready', image_id = u.id, due_at = null, ended_at = now(), updated_at = now()
        from room where u.id = room.id
    ), kept as (
        update objects o set state = 'kept', updated_at = now()
        from room where o.upload_id = room.id and o.attempt_id = :attempt_id and o.kind = 'image'
    ), left_over as (
        update objects o set state = 'deleted', updated_at = now() from room where o.key = room.object_key
    )
    select (select count(*) from held) as held, (select count(*) from room) as done
""")


async def ready(session: AsyncSession, check: Check, picture: ReceivedPicture, storage_bytes: int) -> bool:
    """PROCESSING becomes READY: an image of its owner's, and what was sent a tombstone. False when there is no room.

    Raises SupersededError.
    """
    values = {name: getattr(picture, name) for name in ReceivedPicture.__slots__}
    row = (await session.execute(READY, {**check.guard, **values, "storage_bytes": storage_bytes})).one()
    if not row.held:
        raise SupersededError
    return bool(row.done)


def _ending(guarded: str) -> TextClause:
    """What follows when uploads end without an image: what was promised is given back, what lies there removed."""
    return text(f"""
    with ended as ({guarded} returning id, user_id, size, object_key), freed as (
        update user_rate_limits l set upload_bytes = greatest(l.upload_bytes - promised.size, 0)
        from (select user_id, sum(size)::bigint as size from ended group by user_id) promised
        where l.user_id = promised.user_id
    ), left_over as (
        update objects o set state = 'deleted', updated_at = now() from ended where o.key = ended.object_key
    )
    select id from ended
    """)  # noqa: S608  # of our own text


REJECT = _ending("""
    update uploads set status = 'rejected', error_code = :code, error_message = :message, due_at = null,
        ended_at = now(), updated_at = now()
    where id = :id and attempt_id = :attempt_id and status = 'processing'""")
EXPIRE = _ending("""
    update uploads set status = 'expired', due_at = null, ended_at = now(), updated_at = now()
    where id = any (array(select id from uploads where status in ('pending', 'processing') and expires_at <= now()
                          order by expires_at limit :limit for update skip locked))""")
FORGET = text("""
    delete from uploads where id = any (array(
        select id from uploads where ended_at < now() - make_interval(days => :days) limit :limit))
""")


async def reject(session: AsyncSession, check: Check, code: str, message: str) -> None:
    """PROCESSING becomes REJECTED, and what was sent a tombstone. Raises SupersededError."""
    if await session.scalar(REJECT, {**check.guard, "code": code.lower(), "message": message}) is None:
        raise SupersededError


async def expire(session: AsyncSession, limit: int) -> Sequence[UUID]:
    """Those whose time is over become EXPIRED, and what was sent a tombstone."""
    values: dict[str, Any] = {"limit": limit}
    return (await session.scalars(EXPIRE, values)).all()


async def forget(session: AsyncSession, days: int, limit: int) -> None:
    """Delete rows that ended so many days ago; their images stay."""
    await session.execute(FORGET, {"days": days, "limit": limit})
