"""Creating generations: their limits, their places in the queue, their rows and their events, in one statement."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import accumulate
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from db import limits
from db.claims import Claims
from db.database import Database
from db.enums import EventKind, GenerationStatus
from db.errors import PictureError, UnauthenticatedError
from db.events import Changed
from db.limits import Allowance
from db.request import NewGeneration
from db.rows import made
from db.tables import EventRow, GenerationRow

PRIORITY = 0

Run = Callable[..., Awaitable[Any]]  # the values of SUBMIT but the claims → its one row


class StaleModelError(PictureError):
    """The model was changed just now; try again."""


# $1 the claims (null: the session has set them), $2 the generations, $3 their owner, $4 their model as it was when
# they were checked ($5), $6 how many, $7 their seconds, $8 to $10 the limits.
#
# All depends on `claims`, or policies would see nobody's. What must come after them must be an INSERT: in an UPDATE
# the planner may look at the owner's row first. (That row is there: it is made with the profile.)
SUBMIT = """
    with claims as materialized (
        select set_config('request.jwt.claims', coalesce($1, current_setting('request.jwt.claims', true)), true)
    ), model as materialized (
        select m.id, m.engine from claims, models m
        where m.id = $4::uuid and m.is_active and m.updated_at = $5::timestamptz
    ), line as materialized (
        select picture.enter_line(m.engine, m.id, 0) as clock,
            date_trunc('hour', now(), 'UTC') as hour, date_trunc('day', now(), 'UTC') as day
        from model m where exists (select from profiles where id = $3::uuid)
    ), owner as (
        insert into user_rate_limits as l
            (user_id, hour_started_at, generations_this_hour, day_started_at, generations_today, event_seq)
        select $3::uuid, hour, $6::int, day, $6::int, $6::int from line
        on conflict (user_id) do update set
            hour_started_at = excluded.hour_started_at,
            generations_this_hour = excluded.generations_this_hour
                + case when l.hour_started_at = excluded.hour_started_at then l.generations_this_hour else 0 end,
            day_started_at = excluded.day_started_at,
            generations_today = excluded.generations_today
                + case when l.day_started_at = excluded.day_started_at then l.generations_today else 0 end,
            virtual_finish = greatest(l.virtual_finish, (select clock from line)) + $7::float8,
            event_seq = l.event_seq + excluded.event_seq
        where excluded.generations_this_hour
                + case when l.hour_started_at = excluded.hour_started_at then l.generations_this_hour else 0 end
                    <= $8::int
            and excluded.generations_today
                + case when l.day_started_at = excluded.day_started_at then l.generations_today else 0 end <= $9::int
            and l.storage_bytes_used < $10::bigint
        returning l.virtual_finish - $7::float8 as tag, l.event_seq - $6::int as seq, clock_timestamp() as told_at
    ), asked as materialized (
        select * from owner, rows from (json_to_recordset($2::json) as (id uuid, mode text, prompt text,
            negative_prompt text, width int, height int, steps int, guidance_scale float8, seed bigint, image_count int,
            source_image_id uuid, mask_image_id uuid, strength float8, is_public bool, tags text[], retry_of uuid,
            batch_id uuid, batch_index int, expected_seconds float8, seconds_before float8, start_within float8,
            reuse_key bytea)) with ordinality as g (id, mode, prompt, negative_prompt, width, height, steps,
            guidance_scale, seed, image_count, source_image_id, mask_image_id, strength, is_public, tags, retry_of,
            batch_id, batch_index, expected_seconds, seconds_before, start_within, reuse_key, place)
    ), made as (
        insert into image_generations (id, user_id, model_id, engine, mode, prompt, negative_prompt, width, height,
            steps, guidance_scale, seed, image_count, source_image_id, mask_image_id, strength, is_public, tags,
            retry_of, batch_id, batch_index, expected_seconds, tag, start_before, reuse_key)
        select a.id, $3::uuid, m.id, m.engine, mode, prompt, negative_prompt, width, height, steps, guidance_scale,
            seed, image_count, source_image_id, mask_image_id, strength, is_public, tags, retry_of, batch_id,
            batch_index, expected_seconds, tag + seconds_before, now() + make_interval(secs => start_within), reuse_key
        from asked a, model m
    ), told as (
        insert into generation_events (user_id, seq, generation_id, kind, attempt, created_at)
        select $3::uuid, seq + place, id, 'queued', 0, told_at from asked
    )
    select exists (select from model) as is_offered, exists (select from line) as is_somebody, now() as created_at,
        owner.tag, owner.seq, owner.told_at
    from claims left join owner on true
"""


async def submit(
    run: Run, owner: UUID, news: Sequence[NewGeneration], allowance: Allowance, ids: Sequence[UUID] = ()
) -> list[Changed] | None:
    """QUEUED generations of one model, in their order; None when that passes a limit: then nothing is written.

    Raises StaleModelError, UnauthenticatedError when the account is gone.
    """
    rows = _rows(news, ids or [uuid4() for _ in news])
    model, seconds = news[0].model, sum(new.expected_seconds for new in news)
    said = await run(
        orjson.dumps([{**row, **_unseen(new)} for row, new in zip(rows, news, strict=True)], default=str).decode(),
        owner,
        model.id,
        model.updated_at,
        len(news),
        seconds,
        allowance.generations_per_hour,
        allowance.generations_per_day,
        allowance.storage_bytes,
    )
    if not said["is_offered"]:
        raise StaleModelError
    if not said["is_somebody"]:
        raise UnauthenticatedError("This account is gone.")
    if said["tag"] is None:
        return None
    return [_changed(owner, new, row, place, said) for place, (new, row) in enumerate(zip(news, rows, strict=True), 1)]


async def within(
    session: AsyncSession, owner: UUID, news: Sequence[NewGeneration], allowance: Allowance, ids: Sequence[UUID] = ()
) -> list[Changed]:
    """As `submit`, in the session's transaction. Raises also RateLimitError, QuotaExceededError: roll back then."""
    connection = await session.connection()

    async def run(*values: object) -> Any:
        return (await connection.exec_driver_sql(SUBMIT, (None, *values))).mappings().one()

    if changed := await submit(run, owner, news, allowance, ids):
        return changed
    raise limits.refusal(await limits.usage(session, owner), allowance, len(news))


async def at_once(db: Database, claims: Claims, owner: UUID, new: NewGeneration, allowance: Allowance) -> Changed:
    """As `submit`, of one and in one round trip. Raises also RateLimitError, QuotaExceededError."""
    if changed := await submit(partial(db.direct.row, SUBMIT, claims), owner, [new], allowance):
        return changed[0]
    async with db.as_user(claims) as session:
        raise limits.refusal(await limits.usage(session, owner), allowance)


def _rows(news: Sequence[NewGeneration], ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Each with its id, and with the seconds that those before it take."""
    before = accumulate((new.expected_seconds for new in news), initial=0.0)
    return [
        {**new.columns, "id": id, "seconds_before": seconds}
        for new, id, seconds in zip(news, ids, before, strict=False)
    ]


def _unseen(new: NewGeneration) -> dict[str, Any]:
    """What the statement needs and no row in Python has."""
    key = new.reuse_key
    return {"start_within": new.start_within_seconds, "reuse_key": f"\\x{key.hex()}" if key else None}


# What a QUEUED one has not got yet.
UNTOUCHED: dict[str, object] = {
    **dict.fromkeys(GenerationRow.model_fields),
    "status": GenerationStatus.QUEUED,
    "progress": 0.0,
    "priority": PRIORITY,
    "attempt": 0,
    "retry_count": 0,
}


def _changed(owner: UUID, new: NewGeneration, row: dict[str, Any], place: int, said: Mapping[str, Any]) -> Changed:
    created_at: datetime = said["created_at"].astimezone(UTC)
    within = new.start_within_seconds
    values = {
        **UNTOUCHED,
        **row,
        "user_id": owner,
        "model_id": new.model.id,
        "engine": new.model.engine,
        "tag": said["tag"] + row["seconds_before"],
        "start_before": created_at + timedelta(seconds=within) if within is not None else None,
        "created_at": created_at,
        "updated_at": created_at,
    }
    del values["seconds_before"]
    event = {
        "user_id": owner,
        "seq": said["seq"] + place,
        "generation_id": row["id"],
        "kind": EventKind.QUEUED,
        "attempt": 0,
        "will_retry": False,
        "failure": None,
        "created_at": said["told_at"],
    }
    return Changed(made(GenerationRow, values), (made(EventRow, event),))
