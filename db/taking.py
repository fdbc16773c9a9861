"""The worker's verbs: reserve, start, extend, then complete, fail, cancel or give back.

Every write names the attempt and holds only while that is the newest, so a worker that comes back from the dead
changes nothing. All of it runs twice without harm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from db import events
from db.enums import EventKind, GenerationStage, GenerationStatus
from db.errors import SupersededError
from db.events import Changed
from db.tables import GenerationRow


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a generation; `id` is also the engine's prompt id."""

    id: UUID
    generation_id: UUID
    number: int

    @classmethod
    def of(cls, row: GenerationRow) -> Self:
        """The attempt that a PROCESSING or CANCELING row is in."""
        if row.attempt_id is None:
            raise SupersededError
        return cls(row.attempt_id, row.id, row.attempt)

    @property
    def values(self) -> dict[str, object]:
        """What a guard names it by."""
        return {"id": self.generation_id, "attempt": self.number, "attempt_id": self.id}


# Takers wait for each other, some 0.6 ms: each then sees what the last one committed, and no limit is passed.
ONE_TAKER = text("select pg_advisory_xact_lock(hashtext('picture.take'))")

# The heads of the line of each model that this worker can run, passing over people who have as many running as
# they may; of those the first by priority, tag, age that nobody is changing just now. One a line would be enough
# but for that. Only what is taken is locked. Other models are other parts of the index, never read.
RESERVE = text("""
    with busy as materialized (
        select user_id from image_generations
        where status in ('processing', 'canceling') or reserved_by is not null
        group by user_id having count(*) >= :max_concurrent
    ), heads as materialized (
        select head.* from unnest(cast(:model_ids as uuid[])) as runnable (model_id)
        cross join lateral (
            select id, priority, tag, created_at from image_generations
            where engine = :engine and model_id = runnable.model_id and status = 'queued' and reserved_by is null
                and (not_before is null or not_before <= now())
                and user_id <> all (array(select user_id from busy))
            order by priority desc, tag, created_at
            limit 3
        ) head
        order by priority desc, tag, created_at
        limit 3
    ), turn as materialized (
        select g.id from heads join image_generations g on g.id = heads.id
        where g.status = 'queued' and g.reserved_by is null
        order by heads.priority desc, heads.tag, heads.created_at
        limit 1
        for update of g skip locked
    ), taken as (
        update image_generations g
        set reserved_by = :worker, lease_until = now() + make_interval(secs => :lease_seconds)
        from turn where g.id = turn.id
        returning g.*
    ), clock as (
        update queue_lines l set clock = greatest(l.clock, t.tag) from taken t
        where l.engine = t.engine and l.model_id = t.model_id and l.priority = t.priority
    )
    select row_to_json(taken)::text from taken
""")


async def reserve(
    session: AsyncSession,
    *,
    worker: str,
    engine: str,
    model_ids: Sequence[UUID],
    max_concurrent: int,
    lease_seconds: float,
) -> GenerationRow | None:
    """The waiting generation whose turn it is, kept for `worker`; it stays QUEUED and free to cancel."""
    await session.execute(ONE_TAKER)
    values = {
        "worker": worker,
        "engine": engine,
        "model_ids": list(model_ids),
        "max_concurrent": max_concurrent,
        "lease_seconds": float(lease_seconds),
    }
    row = await session.scalar(RESERVE, values)
    return GenerationRow.model_validate(orjson.loads(row)) if row else None


RELEASE = text("""
    update image_generations set reserved_by = null, lease_until = null
    where status = 'queued' and reserved_by = :worker and (cast(:id as uuid) is null or id = :id)
    returning id
""")
KEEP = text("""
    update image_generations set lease_until = now() + make_interval(secs => :lease_seconds)
    where id = :id and status = 'queued' and reserved_by = :worker returning id
""")


async def release(session: AsyncSession, worker: str, generation_id: UUID | None = None) -> int:
    """Give back what `worker` has reserved, all or one; how many those were."""
    return len((await session.execute(RELEASE, {"worker": worker, "id": generation_id})).all())


async def keep(session: AsyncSession, worker: str, generation_id: UUID, lease_seconds: float) -> bool:
    """Extend a reservation; False when it is no longer ours, as after a cancel."""
    values = {"worker": worker, "id": generation_id, "lease_seconds": float(lease_seconds)}
    return await session.scalar(KEEP, values) is not None


START = events.change("""with changed as (
    update image_generations set status = 'processing', stage = 'preparing', progress = 0, attempt = attempt + 1,
        attempt_id = :attempt_id, worker = :worker, reserved_by = null, not_before = null, started_at = now(),
        updated_at = now(), lease_until = now() + make_interval(secs => :lease_seconds)
    where id = :id and status = 'queued' and reserved_by = :worker
        and (start_before is null or start_before > now() or started_at is not null)
    returning *
)""")


async def start(
    session: AsyncSession, generation_id: UUID, *, worker: str, attempt_id: UUID, lease_seconds: float
) -> Changed:
    """A reserved one becomes PROCESSING under `attempt_id`.

    Raises SupersededError when it was canceled meanwhile, or should have started before.
    """
    values = {"id": generation_id, "worker": worker, "attempt_id": attempt_id, "lease_seconds": float(lease_seconds)}
    return required(await events.run(session, START, [EventKind.STARTED], values))


EXTEND = text("""
    update image_generations set lease_until = now() + make_interval(secs => :lease_seconds), stage = :stage,
        progress = greatest(progress, cast(:progress as float8)), updated_at = now()
    where id = :id and attempt = :attempt and attempt_id = :attempt_id and status in ('processing', 'canceling')
    returning status
""")


async def extend(
    session: AsyncSession, attempt: Attempt, *, lease_seconds: float, stage: GenerationStage, progress: float
) -> GenerationStatus:
    """A heartbeat: PROCESSING, or CANCELING when its owner wants it to stop. Raises SupersededError."""
    values = {**attempt.values, "lease_seconds": float(lease_seconds), "stage": str(stage), "progress": progress}
    status = await session.scalar(EXTEND, values)
    if status is None:
        raise SupersededError
    return GenerationStatus(status)


STATUSES = text("""
    select attempt_id, status from image_generations where id = any (cast(:ids as uuid[])) and attempt_id is not null
""")


async def statuses(session: AsyncSession, attempts: Sequence[Attempt]) -> dict[UUID, GenerationStatus]:
    """Where these attempts stand, by their ids; those that are superseded are missing."""
    rows = await session.execute(STATUSES, {"ids": [attempt.generation_id for attempt in attempts]})
    return {row.attempt_id: GenerationStatus(row.status) for row in rows}


GIVE_BACK = events.change("""with changed as (
    update image_generations set status = 'queued', stage = null, progress = 0, worker = null, attempt_id = null,
        lease_until = null, not_before = null, updated_at = now()
    where id = :id and attempt = :attempt and attempt_id = :attempt_id and status = 'processing'
    returning *
)""")


async def give_back(session: AsyncSession, attempt: Attempt) -> Changed:
    """PROCESSING becomes QUEUED with nothing held against it: its worker is going. Raises SupersededError."""
    return required(await events.run(session, GIVE_BACK, [EventKind.QUEUED], attempt.values))


async def mine(session: AsyncSession, worker: str) -> Sequence[GenerationRow]:
    """What a worker of this name was working at when it went: to be adopted."""
    running = col(GenerationRow.status).in_([GenerationStatus.PROCESSING, GenerationStatus.CANCELING])
    return (await session.scalars(select(GenerationRow).where(col(GenerationRow.worker) == worker, running))).all()


def required(changed: Changed | None) -> Changed:
    """What was changed. Raises SupersededError when the guard did not hold."""
    if changed is None:
        raise SupersededError
    return changed
