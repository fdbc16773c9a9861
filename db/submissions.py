"""Creating a generation: its limits, its place in the queue, its row and its event, in one statement."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from db import events, limits
from db.enums import EventKind, GenerationMode
from db.errors import ConflictError, NotFoundError
from db.events import Changed
from db.limits import Allowance
from db.tables import GenerationRow, ModelRow

PRIORITY = 0


@dataclass(frozen=True, slots=True)
class NewGeneration:
    """A checked request: every value is one that the model takes."""

    model: ModelRow
    prompt: str
    width: int
    height: int
    seed: int
    mode: GenerationMode = GenerationMode.TEXT_TO_IMAGE
    negative_prompt: str | None = None
    steps: int | None = None
    guidance: float | None = None
    image_count: int = 1
    source_image_id: UUID | None = None
    strength: float | None = None
    is_public: bool = False
    retry_of: UUID | None = None

    @classmethod
    def like(cls, row: GenerationRow, model: ModelRow) -> Self:
        """The same again, as a retry of `row`."""
        return cls(
            model=model,
            prompt=row.prompt,
            width=row.width,
            height=row.height,
            seed=row.seed,
            mode=row.mode,
            negative_prompt=row.negative_prompt,
            steps=row.steps,
            guidance=row.guidance_scale,
            image_count=row.image_count,
            source_image_id=row.source_image_id,
            strength=row.strength,
            is_public=row.is_public,
            retry_of=row.id,
        )

    @property
    def expected_seconds(self) -> float:
        """GPU seconds that this is expected to take: what fair queueing counts in."""
        return (self.model.typical_seconds or self.model.expected_seconds) * self.image_count


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's name for one request, and the digest of what it asked for."""

    key: str
    input_hash: bytes
    mutation: str = "createGeneration"
    hours: float = 24


CREATE = text("""
    with line as (
        select picture.enter_line(:engine, :model_id, :priority) as clock
    ), now as (
        select date_trunc('hour', now(), 'UTC') as hour, date_trunc('day', now(), 'UTC') as day
    ), owner as (
        update user_rate_limits l set
            hour_started_at = now.hour,
            generations_this_hour = case when l.hour_started_at = now.hour then l.generations_this_hour else 0 end + 1,
            day_started_at = now.day,
            generations_today = case when l.day_started_at = now.day then l.generations_today else 0 end + 1,
            virtual_finish = greatest(l.virtual_finish, line.clock) + cast(:expected_seconds as float8),
            event_seq = l.event_seq + 1
        from line, now
        where l.user_id = :user_id
            and case when l.hour_started_at = now.hour then l.generations_this_hour else 0 end < :per_hour
            and case when l.day_started_at = now.day then l.generations_today else 0 end < :per_day
            and l.storage_bytes_used < :storage_bytes
        returning l.virtual_finish - cast(:expected_seconds as float8) as tag, l.event_seq
    ), made as (
        insert into image_generations (id, user_id, model_id, engine, mode, prompt, negative_prompt, width, height,
            steps, guidance_scale, seed, image_count, source_image_id, strength, is_public, retry_of, priority,
            expected_seconds, tag)
        select :id, :user_id, :model_id, :engine, :mode, :prompt, :negative_prompt, :width, :height, :steps,
            cast(:guidance as float8), :seed, :image_count, cast(:source_image_id as uuid), cast(:strength as float8),
            :is_public, cast(:retry_of as uuid), :priority, cast(:expected_seconds as float8), owner.tag
        from owner
        returning *
    ), told as (
        insert into generation_events (user_id, seq, generation_id, kind, attempt)
        select made.user_id, owner.event_seq, made.id, 'queued', 0 from made, owner
        returning *
    )
    select row_to_json(made)::text as row, (select json_agg(told) from told)::text as events from made
""")

KEEP_KEY = text("""
    insert into idempotency_keys as kept (user_id, mutation, key, input_hash, generation_id)
    values (:user_id, :mutation, :key, :input_hash, :generation_id)
    on conflict (user_id, mutation, key) do update
        set input_hash = excluded.input_hash, generation_id = excluded.generation_id, created_at = now()
        where kept.created_at < now() - make_interval(secs => 3600 * cast(:hours as float8))
    returning true
""")
KEPT_KEY = text("""
    select input_hash, generation_id from idempotency_keys
    where user_id = :user_id and mutation = :mutation and key = :key
""")

REPLAY = text("""
    select generation_id from idempotency_keys
    where user_id = :user_id and mutation = :mutation and key = :key and input_hash = :input_hash
        and created_at >= now() - make_interval(secs => :seconds)
""")


async def replay(session: AsyncSession, owner: UUID, key: IdempotencyKey) -> GenerationRow | None:
    """What the key has made with the same input, as it is now; None when there is nothing, or nothing left."""
    named = {"user_id": owner, "mutation": key.mutation, "key": key.key, "input_hash": key.input_hash}
    id = await session.scalar(REPLAY, {**named, "seconds": key.hours * 3600})
    return (
        (await session.scalars(select(GenerationRow).where(col(GenerationRow.id) == id))).one_or_none() if id else None
    )


async def create(
    session: AsyncSession,
    owner: UUID,
    new: NewGeneration,
    allowance: Allowance,
    *,
    key: IdempotencyKey | None = None,
) -> Changed:
    """A QUEUED generation; or, under a key that was used, the one made then, as it is now.

    Raises RateLimitError, QuotaExceededError, ConflictError (the key with another input), NotFoundError (what the key
    made is deleted). The session must be rolled back then: a refused request keeps no key and uses up no limit.
    """
    id = uuid4()
    if key and (earlier := await _under_key(session, owner, key, id)):
        return Changed(earlier)
    values = {"id": id, "user_id": owner, **_values(new), **_bounds(allowance)}
    changed = await events.run(session, CREATE, [EventKind.QUEUED], values)
    if changed is None:
        raise limits.refusal(await limits.usage(session, owner), allowance)
    return changed


async def _under_key(session: AsyncSession, owner: UUID, key: IdempotencyKey, id: UUID) -> GenerationRow | None:
    """None when the key is new and now ours; waits for another request that holds it."""
    named = {"user_id": owner, "mutation": key.mutation, "key": key.key}
    ours = {**named, "input_hash": key.input_hash, "generation_id": id, "hours": key.hours}
    if await session.scalar(KEEP_KEY, ours):
        return None
    kept = (await session.execute(KEPT_KEY, named)).one()
    if kept.input_hash != key.input_hash:
        raise ConflictError("This key was used with another input.", path=("input", "idempotencyKey"))
    earlier = select(GenerationRow).where(col(GenerationRow.id) == kept.generation_id)
    row = (await session.scalars(earlier)).one_or_none()
    if row is None:
        raise NotFoundError(
            "What this key made has been deleted.", path=("input", "idempotencyKey"), missing_id=kept.generation_id
        )
    return row


def _values(new: NewGeneration) -> dict[str, object]:
    return {
        "model_id": new.model.id,
        "engine": new.model.engine,
        "priority": PRIORITY,
        "mode": str(new.mode),
        "prompt": new.prompt,
        "negative_prompt": new.negative_prompt,
        "width": new.width,
        "height": new.height,
        "steps": new.steps,
        "guidance": new.guidance,
        "seed": new.seed,
        "image_count": new.image_count,
        "source_image_id": new.source_image_id,
        "strength": new.strength,
        "is_public": new.is_public,
        "retry_of": new.retry_of,
        "expected_seconds": new.expected_seconds,
    }


def _bounds(allowance: Allowance) -> dict[str, object]:
    return {
        "per_hour": allowance.generations_per_hour,
        "per_day": allowance.generations_per_day,
        "storage_bytes": allowance.storage_bytes,
    }
