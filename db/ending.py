"""How an attempt ends: completed with its pictures, failed for now or for good, or canceled.

Each names the attempt and holds only while that is the newest, and may run twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db import events, tags
from db.enums import EventKind, FailureCode, GenerationStage
from db.events import Changed
from db.taking import Attempt, required


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


RETRY = events.change("""with changed as (
    update image_generations set status = 'queued', stage = null, progress = 0, worker = null, attempt_id = null,
        lease_until = null, retry_count = retry_count + 1, updated_at = now(),
        not_before = now() + make_interval(secs => :retry_after_seconds)
    where id = :id and attempt = :attempt and attempt_id = :attempt_id
        and not (:if_expired and lease_until > now()) and status = 'processing'
    returning *
)""")
FAIL = events.change(
    """with changed as (
    update image_generations set status = 'failed', stage = null, lease_until = null, completed_at = now(),
        updated_at = now(), failure_code = cast(:failure as jsonb) ->> 'code',
        error_message = cast(:failure as jsonb) ->> 'message', failure_stage = cast(:failure as jsonb) ->> 'stage',
        failure_node = cast(:failure as jsonb) ->> 'node',
        failure_retryable = (cast(:failure as jsonb) ->> 'retryable')::boolean,
        generation_time_seconds = extract(epoch from now() - started_at)
    where id = :id and attempt = :attempt and attempt_id = :attempt_id
        and not (:if_expired and lease_until > now()) and status = 'processing'
    returning *
)""",
    owner=events.REFUND,
)
CANCELED = events.change(
    """with changed as (
    update image_generations set status = 'canceled', stage = null, lease_until = null, completed_at = now(),
        updated_at = now(), generation_time_seconds = extract(epoch from now() - started_at)
    where id = :id and attempt = :attempt and attempt_id = :attempt_id
        and not (:if_expired and lease_until > now()) and status = 'canceling'
    returning *
)""",
    owner=events.RETURN_COUNTS,
)
EXPIRE = events.change(
    """with changed as (
    update image_generations set status = 'failed', completed_at = now(), updated_at = now(), reserved_by = null,
        lease_until = null, not_before = null, failure_code = cast(:failure as jsonb) ->> 'code',
        error_message = cast(:failure as jsonb) ->> 'message',
        failure_retryable = (cast(:failure as jsonb) ->> 'retryable')::boolean
    where id = :id and status = 'queued' and start_before <= now() and started_at is null
    returning *
)""",
    owner=events.REFUND,
)
NOTE_ERROR = text("""
    insert into generation_errors
        (generation_id, user_id, model_id, attempt, worker, code, message, stage, node, will_retry)
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
    values = {**attempt.values, "if_expired": if_expired}
    if retry_after_seconds is not None:
        retry = {**values, "retry_after_seconds": float(retry_after_seconds)}
        changed = await events.run(session, RETRY, [EventKind.FAILED, EventKind.QUEUED], retry, failure.json)
    else:
        changed = await events.run(session, FAIL, [EventKind.FAILED], values, failure.json)
    if changed:
        note = {**failure.json, "id": attempt.generation_id, "worker": worker}
        await session.execute(NOTE_ERROR, {**note, "will_retry": retry_after_seconds is not None})
        return changed
    return required(await events.run(session, CANCELED, [EventKind.CANCELED], values))


EXPIRED = Failure(FailureCode.EXPIRED, "It did not start in time.", retryable=True)


async def expire(session: AsyncSession, id: UUID) -> Changed:
    """QUEUED becomes FAILED: it should have started by now. Raises SupersededError when that is not so."""
    changed = required(await events.run(session, EXPIRE, [EventKind.FAILED], {"id": id}, EXPIRED.json))
    await session.execute(NOTE_ERROR, {**EXPIRED.json, "id": id, "worker": None, "will_retry": False})
    return changed


async def canceled(session: AsyncSession, attempt: Attempt) -> Changed:
    """CANCELING becomes CANCELED. Raises SupersededError."""
    return required(await events.run(session, CANCELED, [EventKind.CANCELED], {**attempt.values, "if_expired": False}))


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


OBJECTS_PER_PICTURE = 3  # itself and two thumbnails
COMPLETE = events.change(
    """with changed as (
    update image_generations set status = 'completed', stage = null, progress = 1, lease_until = null,
        completed_at = now(), updated_at = now(), generation_time_seconds = extract(epoch from now() - started_at),
        cost_usd = (select cost_per_image * image_count from models where models.id = model_id)
    where id = :id and attempt = :attempt and attempt_id = :attempt_id and status = 'processing'
        and :objects = (select count(*) from objects o
                        where o.generation_id = :id and o.attempt_id = :attempt_id and o.state = 'announced')
    returning *
), noted as (
    insert into generation_performance (generation_id, user_id, model_id, attempt, worker, queue_seconds,
        prepare_seconds, run_seconds, fetch_seconds, render_seconds, store_seconds)
    select c.id, c.user_id, c.model_id, c.attempt, c.worker, extract(epoch from c.started_at - c.created_at),
        cast(:prepare_seconds as float8), cast(:run_seconds as float8), cast(:fetch_seconds as float8),
        cast(:render_seconds as float8), cast(:store_seconds as float8)
    from changed c
), pictures as (
    select * from jsonb_to_recordset(cast(:pictures as jsonb)) as p (index int, storage_path text, small_path text,
        medium_path text, format text, file_size bigint, width int, height int, blurhash text)
), stored as (
    insert into images (user_id, generation_id, attempt_id, image_index, storage_path, small_path, medium_path,
        filename, format, file_size, width, height, blurhash, is_public, publication_id, model_id, prompt,
        negative_prompt, seed, steps, guidance)
    select c.user_id, c.id, c.attempt_id, p.index, p.storage_path, p.small_path, p.medium_path,
        c.id || '-' || p.index || '.' || p.format, p.format, p.file_size, p.width, p.height, p.blurhash, c.is_public,
        case when c.is_public then gen_random_uuid() end, c.model_id, c.prompt, c.negative_prompt, c.seed, c.steps,
        c.guidance_scale
    from changed c, pictures p
), kept as (
    update objects o set state = 'kept', updated_at = now() from changed c
    where o.generation_id = c.id and o.attempt_id = c.attempt_id and o.state = 'announced'
)""",
    owner=",\n        storage_bytes_used = l.storage_bytes_used + (select sum(file_size)::bigint from pictures)",
)
DURATIONS = ("prepare_seconds", "run_seconds", "fetch_seconds", "render_seconds", "store_seconds")


async def complete(
    session: AsyncSession, attempt: Attempt, pictures: Sequence[StoredPicture], seconds: Mapping[str, float]
) -> Changed:
    """PROCESSING becomes COMPLETED with these pictures; CANCELING becomes CANCELED, whatever was rendered.

    `seconds`: those of DURATIONS that are known. Raises SupersededError, also when the sweep has taken the attempt's
    objects for orphans.
    """
    values = {
        **attempt.values,
        **{name: seconds.get(name) for name in DURATIONS},
        "pictures": orjson.dumps([picture.json for picture in pictures]).decode(),
        "objects": OBJECTS_PER_PICTURE * len(pictures),
    }
    changed = await events.run(session, COMPLETE, [EventKind.COMPLETED], values)
    if changed is None:
        return await canceled(session, attempt)
    await tags.attach(session, changed.row)
    return changed
