"""A client's own names for its requests: what one has made, it stands for."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import ConflictError, NotFoundError

KEY_PATH = ("input", "idempotencyKey")


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's name for one request, and the digest of what it asked for."""

    key: str
    input_hash: bytes
    mutation: str = "createGeneration"
    hours: float = 24


KEEP = text("""
    insert into idempotency_keys as kept (user_id, mutation, key, input_hash, generation_id, batch_id)
    values (:user_id, :mutation, :key, :input_hash, :generation_id, :batch_id)
    on conflict (user_id, mutation, key) do update
        set input_hash = excluded.input_hash, generation_id = excluded.generation_id, batch_id = excluded.batch_id,
            created_at = now()
        where kept.created_at < now() - make_interval(secs => 3600 * cast(:hours as float8))
    returning true
""")
KEPT = text("""
    select input_hash, coalesce(generation_id, batch_id) as made from idempotency_keys
    where user_id = :user_id and mutation = :mutation and key = :key
""")
MADE = text("""
    select input_hash, coalesce(generation_id, batch_id) as made from idempotency_keys
    where user_id = :user_id and mutation = :mutation and key = :key
        and created_at >= now() - make_interval(secs => 3600 * cast(:hours as float8))
""")


async def keep(
    session: AsyncSession,
    owner: UUID,
    key: IdempotencyKey,
    *,
    generation_id: UUID | None = None,
    batch_id: UUID | None = None,
) -> UUID | None:
    """None when the key is new and now stands for what is named; else the id of what it stands for.

    Waits for another request that holds the key. Raises ConflictError when that was of another input.
    """
    named = {"user_id": owner, "mutation": key.mutation, "key": key.key}
    ours = {"input_hash": key.input_hash, "generation_id": generation_id, "batch_id": batch_id, "hours": key.hours}
    if await session.scalar(KEEP, {**named, **ours}):
        return None
    return _same((await session.execute(KEPT, named)).one(), key)


async def made(session: AsyncSession, owner: UUID, key: IdempotencyKey) -> UUID | None:
    """The id of what the key has made; None when that is nothing. Raises ConflictError when it was of another input."""
    named = {"user_id": owner, "mutation": key.mutation, "key": key.key, "hours": key.hours}
    return _same((await session.execute(MADE, named)).one_or_none(), key)


def _same(kept: Row[Any] | None, key: IdempotencyKey) -> UUID | None:
    if kept is None:
        return None
    if kept.input_hash != key.input_hash:
        raise ConflictError("This key was used with another input.", path=KEY_PATH)
    made: UUID = kept.made
    return made


def gone(id: UUID) -> NotFoundError:
    """The error for a key whose work has been deleted."""
    return NotFoundError("What this key made has been deleted.", path=KEY_PATH, missing_id=id)
