"""Objects in storage, announced before they are written; clean-up walks this table, never a listing."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import SupersededError
from db.taking import Attempt

ANNOUNCE = text("""
    insert into objects (key, kind, user_id, generation_id, attempt_id)
    select key, 'image', g.user_id, g.id, g.attempt_id
    from image_generations g, unnest(cast(:keys as text[])) as key
    where g.id = :generation_id and g.attempt_id = :attempt_id and g.status = 'processing'
    for key share of g  -- an account that ends in this moment waits, and then finds what is announced here
    on conflict (key) do update set updated_at = now() where objects.state = 'announced'
    returning key
""")


async def announce(session: AsyncSession, attempt: Attempt, keys: Sequence[str]) -> None:
    """Say what this attempt is about to write. Raises SupersededError when it may no longer."""
    values = {"keys": list(keys), "generation_id": attempt.generation_id, "attempt_id": attempt.id}
    if len((await session.execute(ANNOUNCE, values)).all()) != len(keys):
        raise SupersededError


# An attempt that has ended or been superseded may still be writing: its objects are left alone for a while.
# An upload's own object is awaited for as long as the upload is.
ABANDON = text("""
    update objects o set state = 'deleted', updated_at = now()
    where o.state = 'announced' and o.created_at < now() - make_interval(secs => :orphan_seconds)
        and not exists (select from image_generations g where g.id = o.generation_id and g.attempt_id = o.attempt_id
                        and g.status in ('processing', 'canceling'))
        and not exists (select from uploads u where u.id = o.upload_id and u.status in ('pending', 'processing')
                        and (o.kind = 'upload' or u.attempt_id = o.attempt_id))
""")
DELETED = text("""
    select key from objects where state = 'deleted' and (removed_at is null or writable_until <= now())
    order by created_at limit :limit
""")
# Whoever has a signed address may write once more until it is over: then it is removed once more.
FORGET = text("""
    with once_more as (
        update objects set removed_at = now()
        where state = 'deleted' and key = any (cast(:keys as text[])) and writable_until > now()
    )
    delete from objects where state = 'deleted' and key = any (cast(:keys as text[]))
        and (writable_until is null or writable_until <= now())
""")


async def abandon(session: AsyncSession, orphan_seconds: float) -> None:
    """Mark what ended attempts have left, once it is `orphan_seconds` old."""
    await session.execute(ABANDON, {"orphan_seconds": float(orphan_seconds)})


async def deleted(session: AsyncSession, limit: int) -> Sequence[str]:
    """Keys whose objects are to be removed, oldest first."""
    return (await session.scalars(DELETED, {"limit": limit})).all()


async def forget(session: AsyncSession, keys: Sequence[str]) -> None:
    """Strike off those that are removed."""
    await session.execute(FORGET, {"keys": list(keys)})
