"""The worker's verbs: reserve, start, extend, then complete, fail, cancel or give back.

Every write names the attempt and holds only while that is the newest, so a worker that comes back from the dead
changes nothing. All of it runs twice without harm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from db import events
from db.enums import EventKind, FailureCode, GenerationStage, GenerationStatus
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
    def _values(self) -> dict[str, object]:
        return {"id": self.generation_id, "attempt": self.number, "attempt_id": self.id}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed, safe to show."""

    code: FailureCode
    message: str
    retryable: bool = False
    stage: GenerationStage | None = None
    node: str | None = None

    @property
    def json(self) -> dict[str, Any]:
        """As an event tells it."""
        return {
            "code": str(self.code),
            "message": self.message,
            "retryable": self.retryable,
            "stage": str(self.stage) if self.stage else None,
            "node": self.node,
        }


# Takers wait for each other, some 0.6 ms: each then sees what the last one committed, and no limit is passed.
ONE_TAKER = text("select pg_advisory_xact_lock(hashtext('picture.take'))")

# The head of the line of each model that this worker can run, passing over people who have as many running as
# they may; the first of the heads by priority, tag, age. Other models are other parts of the index, never read.
RESERVE = text("""
    with busy as materialized (
        select user_id from image_generations
        where status in ('processing', 'canceling') or reserved_by is not null
        group by user_id having count(*) >= :max_concurrent
    ), heads as (
        select head.* from unnest(cast(:model_ids as uuid[])) as runnable (model_id)
        cross join lateral (
            select id, priority, tag, created_at from image_generations
            where engine = :engine and model_id = runnable.model_id and status = 'queued' and reserved_by is null
                and (not_before is null or not_before <= now())
                and user_id <> all (array(select user_id from busy))
            order by priority desc, tag, created_at
            limit 1
            for update skip locked
        ) head
    ), taken as (
        update image_generations g set reserved_by = :worker, lease_until = now() + make_interval(secs => :lease_seconds)
        where g.id = (select id from heads order by priority desc, tag, created_at limit 1)
        returning *
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
    returning *
)""")


async def start(
    session: AsyncSession, generation_id: UUID, *, worker: str, attempt_id: UUID, lease_seconds: float
) -> Changed:
    """A reserved one becomes PROCESSING under `attempt_id`. Raises SupersededError when it was canceled meanwhile."""
    values = {"id": generation_id, "worker": worker, "attempt_id": attempt_id, "lease_seconds": float(lease_seconds)}
    return _required(await events.run(session, START, [EventKind.STARTED], values))


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
    values = {**attempt._values, "lease_seconds": float(lease_seconds), "stage": str(stage), "progress": progress}
    status = await session.scalar(EXTEND, values)
    if status is None:
        raise SupersededError
    return GenerationStatus(status)


OURS = (
    "where id = :id and attempt = :attempt and attempt_id = :attempt_id and not (:if_expired and lease_until > now())"
)
RETRY = events.change(f"""with changed as (
    update image_generations set status = 'queued', stage = null, progress = 0, worker = null, attempt_id = null,
        lease_until = null, retry_count = retry_count + 1, updated_at = now(),
        not_before = now() + make_interval(secs => :retry_after_seconds)
    {OURS} and status = 'processing'
    returning *
)""")
FAIL = events.change(
    f"""with changed as (
    update image_generations set status = 'failed', stage = null, lease_until = null, completed_at = now(),
        updated_at = now(), failure_code = cast(:failure as jsonb) ->> 'code',
        error_message = cast(:failure as jsonb) ->> 'message', failure_stage = cast(:failure as jsonb) ->> 'stage',
        failure_node = cast(:failure as jsonb) ->> 'node',
        failure_retryable = (cast(:failure as jsonb) ->> 'retryable')::boolean,
        generation_time_seconds = extract(epoch from now() - started_at)
    {OURS} and status = 'processing'
    returning *
)""",
    owner=events.REFUND,
)
CANCELED = events.change(
    f"""with changed as (
    update image_generations set status = 'canceled', stage = null, lease_until = null, completed_at = now(),
        updated_at = now(), generation_time_seconds = extract(epoch from now() - started_at)
    {OURS} and status = 'canceling'
    returning *
)""",
    owner=events.REFUND,
)
NOTE_ERROR = text("""
    insert into generation_errors (generation_id, user_id, model_id, attempt, worker, code, message, stage, node, will_retry)
    select id, user_id, model_id, attempt, :worker, :code, :message, :stage, :node, :will_retry
    from image_generations where id = :id
""")


async def fail(
    session: AsyncSession,
    attempt: Attempt,
    failure: Failure,
    *,
    retry_after_seconds: float | None,
    worker: str | None = None,
    if_expired: bool = False,
) -> Changed:
    """PROCESSING becomes QUEUED again, to be taken after `retry_after_seconds`, or FAILED; CANCELING becomes CANCELED.

    Raises SupersededError, with `if_expired` also when the lease was extended meanwhile.
    """
    values = {**attempt._values, "if_expired": if_expired}
    if retry_after_seconds is not None:
        retry = {**values, "retry_after_seconds": float(retry_after_seconds)}
        changed = await events.run(session, RETRY, [EventKind.FAILED, EventKind.QUEUED], retry, failure.json)
    else:
        changed = await events.run(session, FAIL, [EventKind.FAILED], values, failure.json)
    if changed:
        note = {**failure.json, "id": attempt.generation_id, "worker": worker}
        await session.execute(NOTE_ERROR, {**note, "will_retry": retry_after_seconds is not None})
        return changed
    return _required(await events.run(session, CANCELED, [EventKind.CANCELED], values))


async def canceled(session: AsyncSession, attempt: Attempt) -> Changed:
    """CANCELING becomes CANCELED. Raises SupersededError."""
    return _required(
        await events.run(session, CANCELED, [EventKind.CANCELED], {**attempt._values, "if_expired": False})
    )


GIVE_BACK = events.change(f"""with changed as (
    update image_generations set status = 'queued', stage = null, progress = 0, worker = null, attempt_id = null,
        lease_until = null, not_before = null, updated_at = now()
    {OURS} and status = 'processing'
    returning *
)""")


async def give_back(session: AsyncSession, attempt: Attempt) -> Changed:
    """PROCESSING becomes QUEUED with nothing held against it: its worker is going. Raises SupersededError."""
    return _required(await events.run(session, GIVE_BACK, [EventKind.QUEUED], {**attempt._values, "if_expired": False}))


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """One rendered picture whose objects lie in storage."""

    index: int
    storage_path: str
    small_path: str
    medium_path: str
    format: str
    file_size: int
    width: int
    height: int
    blurhash: str | None

    @property
    def json(self) -> dict[str, Any]:
        """As the statement reads it."""
        return {name: getattr(self, name) for name in self.__slots__}


COMPLETE = events.change(
    f"""with changed as (
    update image_generations set status = 'completed', stage = null, progress = 1, lease_until = null,
        completed_at = now(), updated_at = now(), generation_time_seconds = extract(epoch from now() - started_at),
        cost_usd = (select cost_per_image * image_count from models where models.id = model_id)
    {OURS} and status = 'processing'
    returning *
), pictures as (
    select * from jsonb_to_recordset(cast(:pictures as jsonb)) as p (index int, storage_path text, small_path text,
        medium_path text, format text, file_size bigint, width int, height int, blurhash text)
), stored as (
    insert into images (user_id, generation_id, attempt_id, image_index, storage_path, small_path, medium_path, filename,
        format, file_size, width, height, blurhash, is_public, publication_id, model_id, prompt, negative_prompt, seed,
        steps, guidance)
    select c.user_id, c.id, c.attempt_id, p.index, p.storage_path, p.small_path, p.medium_path,
        c.id || '-' || p.index || '.' || p.format, p.format, p.file_size, p.width, p.height, p.blurhash, c.is_public,
        case when c.is_public then gen_random_uuid() end, c.model_id, c.prompt, c.negative_prompt, c.seed, c.steps,
        c.guidance_scale
    from changed c, pictures p
), kept as (
    update objects o set state = 'kept', updated_at = now() from changed c
    where o.attempt_id = c.attempt_id and o.state = 'announced'
)""",
    owner=",\n        storage_bytes_used = l.storage_bytes_used + (select sum(file_size)::bigint from pictures)",
)
ANNOUNCED = text("select count(*) from objects where attempt_id = :attempt_id and state = 'announced'")
NOTE_PERFORMANCE = text("""
    insert into generation_performance
        (generation_id, user_id, model_id, attempt, worker, queue_seconds, prepare_seconds, run_seconds, store_seconds)
    select id, user_id, model_id, attempt, worker, extract(epoch from started_at - created_at),
        :prepare_seconds, :run_seconds, :store_seconds
    from image_generations where id = :id
""")


async def complete(
    session: AsyncSession, attempt: Attempt, pictures: Sequence[StoredPicture], seconds: Mapping[str, float]
) -> Changed:
    """PROCESSING becomes COMPLETED with these pictures; CANCELING becomes CANCELED, whatever was rendered.

    `seconds`: prepare_seconds, run_seconds, store_seconds. Raises SupersededError, also when the sweep has taken
    the attempt's objects for orphans.
    """
    values = {
        **attempt._values,
        "if_expired": False,
        "pictures": orjson.dumps([picture.json for picture in pictures]).decode(),
    }
    if await session.scalar(ANNOUNCED, {"attempt_id": attempt.id}) != 3 * len(pictures):
        raise SupersededError
    changed = await events.run(session, COMPLETE, [EventKind.COMPLETED], values)
    if changed is None:
        return await canceled(session, attempt)
    await session.execute(NOTE_PERFORMANCE, {"id": attempt.generation_id, **seconds})
    return changed


async def mine(session: AsyncSession, worker: str) -> Sequence[GenerationRow]:
    """What a worker of this name was working at when it went: to be adopted."""
    running = col(GenerationRow.status).in_([GenerationStatus.PROCESSING, GenerationStatus.CANCELING])
    return (await session.scalars(select(GenerationRow).where(col(GenerationRow.worker) == worker, running))).all()


def _required(changed: Changed | None) -> Changed:
    if changed is None:
        raise SupersededError
    return changed
