"""Events: each change of a generation's status, numbered among its owner's in the transaction that makes it.

The number comes from the owner's one row of counters, whose lock is held until the commit: who sees a number
sees all before it, so there are no gaps and no two orders.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from db import records
from db.claims import Claims
from db.database import Database
from db.enums import EventKind, GenerationStatus
from db.tables import EventRow, GenerationRow

LOADED_AT_ONCE = 20  # in one turn of the loop
OPEN = (GenerationStatus.QUEUED, GenerationStatus.PROCESSING, GenerationStatus.CANCELING)


@dataclass(frozen=True, slots=True)
class Changed:
    """A generation as a transaction left it, and the events that it has to tell; none when nothing changed."""

    row: GenerationRow
    events: tuple[EventRow, ...] = ()


# What a change of status does beside the change itself. `changed` is the generation's row.
_TELL = """,
numbered as (
    update user_rate_limits l set event_seq = l.event_seq + cardinality(cast(:kinds as text[])){owner}
    from changed c where l.user_id = c.user_id
    returning l.event_seq
), told as (
    insert into generation_events (user_id, seq, generation_id, kind, attempt, will_retry, failure)
    select c.user_id, n.event_seq - cardinality(cast(:kinds as text[])) + k.place, c.id, k.kind, c.attempt,
        k.kind = 'failed' and c.status = 'queued', case when k.kind = 'failed' then cast(:failure as jsonb) end
    from changed c, numbered n, unnest(cast(:kinds as text[])) with ordinality as k (kind, place)
    returning *
)
select row_to_json(c)::text as row, (select json_agg(t order by t.seq) from told t)::text as events from changed c
"""

# It ended without an image: what it took of the limits is given back, in the windows it came from …
RETURN_COUNTS = """,
        generations_this_hour = greatest(l.generations_this_hour
            - (l.hour_started_at = date_trunc('hour', c.created_at, 'UTC'))::int, 0),
        generations_today = greatest(l.generations_today
            - (l.day_started_at = date_trunc('day', c.created_at, 'UTC'))::int, 0)"""
# … and where its owner is not the cause that the GPU worked for nothing, its turn, too.
REFUND = f"""{RETURN_COUNTS},
        virtual_finish = greatest(l.virtual_finish - c.expected_seconds, 0)"""


def change(changed: str, *, owner: str = "") -> TextClause:
    """A statement that changes one generation (`with changed as (…)`) and tells it: `:kinds`, `:failure`."""
    return text(changed + _TELL.replace("{owner}", owner))


async def run(
    session: AsyncSession,
    statement: TextClause,
    kinds: Iterable[EventKind],
    values: Mapping[str, object],
    failure: Mapping[str, Any] | None = None,
) -> Changed | None:
    """What `change` made of it; None when its guard did not hold."""
    told = {
        "kinds": [str(kind) for kind in kinds],
        "failure": orjson.dumps(dict(failure)).decode() if failure else None,
    }
    row = (await session.execute(statement, {**values, **told})).one_or_none()
    if row is None:
        return None
    events = orjson.loads(row.events) if row.events else []
    return Changed(
        GenerationRow.model_validate(orjson.loads(row.row)), tuple(EventRow.model_validate(event) for event in events)
    )


async def after(session: AsyncSession, user_id: UUID, seq: int, limit: int = 500) -> Sequence[EventRow]:
    """A person's events behind a number, in order; those of generations deleted since are missing."""
    query = select(EventRow).where(col(EventRow.user_id) == user_id, col(EventRow.seq) > seq)
    return (await session.scalars(query.order_by(col(EventRow.seq)).limit(limit))).all()


HEADS = text("select user_id, seq from picture.event_heads(cast(:user_ids as uuid[]))")


async def heads(session: AsyncSession, user_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The newest number of each of these people: one statement, whoever asks."""
    rows = await session.execute(HEADS, {"user_ids": list(user_ids)})
    return {row.user_id: row.seq for row in rows}


# Each of one moment: a number and rows of two would lose a change, or tell it twice.
_SNAPSHOT = """
    select case when set_config('request.jwt.claims', $1, true) is not null then (
        select json_build_array(l.event_seq, coalesce((
            select json_agg(g order by g.created_at, g.id) from image_generations g
            where g.user_id = l.user_id and {which}), '[]'))::text
        from user_rate_limits l where l.user_id = $2::uuid) end
"""
SNAPSHOT_OF_ONE = _SNAPSHOT.format(which="g.id = $3::uuid")
SNAPSHOT_OF_OPEN = _SNAPSHOT.format(which="g.status in ('queued', 'processing', 'canceling')")


async def snapshot(
    db: Database, claims: Claims, user_id: UUID, generation_id: UUID | None = None
) -> tuple[int, list[GenerationRow]]:
    """The newest number and the generations of one moment: the one asked for, or all that are open, oldest first."""
    if generation_id:
        found = await db.direct.value(SNAPSHOT_OF_ONE, claims, user_id, generation_id)
    else:
        found = await db.direct.value(SNAPSHOT_OF_OPEN, claims, user_id)
    head, listed = orjson.loads(found) if found else (0, ())
    rows = []
    for number, row in enumerate(listed):
        if number % LOADED_AT_ONCE == LOADED_AT_ONCE - 1:
            await asyncio.sleep(0)
        rows.append(records.load(row))
    return head, rows
