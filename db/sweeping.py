"""What the sweep looks for: leases that ran out, work that nobody was told of, and what is old enough to go."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from db.tables import GenerationRow

# Sweeps may run anywhere any number of times; only one does the work.
ONE_SWEEP = text("select pg_try_advisory_xact_lock(hashtext('picture.sweep'))")


async def is_ours(session: AsyncSession) -> bool:
    """Whether this transaction is the one that sweeps now."""
    return bool(await session.scalar(ONE_SWEEP))


# The words are spelled out, so that any plan may use the index of what is held.
EXPIRED = select(GenerationRow).where(
    text("status in ('processing', 'canceling')"), col(GenerationRow.lease_until) < func.now()
)


async def expired(session: AsyncSession, limit: int) -> Sequence[GenerationRow]:
    """Running ones whose worker was not heard of in time, oldest lease first."""
    return (await session.scalars(EXPIRED.order_by(col(GenerationRow.lease_until)).limit(limit))).all()


RELEASE = text("""
    update image_generations set reserved_by = null, lease_until = null
    where status = 'queued' and reserved_by is not null and lease_until < now()
    returning engine
""")
WAITING = text("""
    select distinct m.engine from models m where exists (
        select from image_generations g where g.engine = m.engine and g.model_id = m.id and g.status = 'queued'
            and g.reserved_by is null and (g.not_before is null or g.not_before <= now()))
""")


OVERDUE = text("""
    select id from image_generations where status = 'queued' and start_before <= now() and started_at is null
    order by start_before limit :limit
""")


async def overdue(session: AsyncSession, limit: int) -> Sequence[UUID]:
    """Those that should have started by now, the longest overdue first."""
    return (await session.scalars(OVERDUE, {"limit": limit})).all()


async def release_expired(session: AsyncSession) -> None:
    """Let go of what a dead worker had reserved."""
    await session.execute(RELEASE)


async def waiting_engines(session: AsyncSession) -> Sequence[str]:
    """Engines that somebody waits for: their workers are to be woken."""
    return (await session.scalars(WAITING)).all()


# In small bites, so that nobody waits for a long transaction.
OLD_EVENTS = text("""
    delete from generation_events where ctid = any (array(
        select ctid from generation_events
            where created_at < now() - make_interval(secs => 3600 * cast(:event_hours as float8))
        limit :limit))
""")
OLD_KEYS = text("""
    delete from idempotency_keys where ctid = any (array(
        select ctid from idempotency_keys
            where created_at < now() - make_interval(secs => 3600 * cast(:idempotency_hours as float8))
        limit :limit))
""")
# A batch that failed as a whole, looked for among those of whom some have just become old enough: others would be
# found again by every sweep.
OLD_BATCHES = text("""
    delete from batch_generations where id = any (array(
        select distinct f.batch_id from image_generations f
        where f.status = 'failed' and f.batch_id is not null
            and f.completed_at between now() - make_interval(days => 2 * :failed_days)
                and now() - make_interval(days => :failed_days)
            and not exists (select from image_generations g where g.batch_id = f.batch_id and (
                g.status not in ('failed', 'canceled') or g.completed_at > now() - make_interval(days => :failed_days)))
        limit :limit))
""")
OLD_FAILURES = text("""
    delete from image_generations where id = any (array(
        select id from image_generations where status = 'failed' and batch_id is null
            and completed_at < now() - make_interval(days => :failed_days) limit :limit))
""")


async def forget_old(
    session: AsyncSession, *, event_hours: float, idempotency_hours: float, failed_days: int, limit: int
) -> None:
    """Delete what is older than it needs to be, at most `limit` rows of each kind; failures of a batch go with it."""
    await session.execute(OLD_EVENTS, {"event_hours": event_hours, "limit": limit})
    await session.execute(OLD_KEYS, {"idempotency_hours": idempotency_hours, "limit": limit})
    await session.execute(OLD_FAILURES, {"failed_days": failed_days, "limit": limit})
    await session.execute(OLD_BATCHES, {"failed_days": failed_days, "limit": limit})
