"""Making a generation, or finding the one that is as good: under the same key, or that must come out the same."""

from uuid import UUID, uuid4

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db import idempotency, submissions
from db.events import Changed
from db.idempotency import IdempotencyKey
from db.limits import Allowance
from db.request import NewGeneration
from db.submissions import StaleModelError
from db.tables import GenerationRow

REUSABLE = text("""
    select m.is_active and m.updated_at = :updated_at as is_current, row_to_json(g)::text as row
    from models m left join lateral (
        select * from image_generations g
        where g.user_id = :owner and g.reuse_key = :key and g.status = 'completed' and g.image_count = (
            select count(*) from images i where i.generation_id = g.id and i.storage_path is not null)
        order by g.completed_at desc limit 1
    ) g on true
    where m.id = :model_id
""")


async def replay(session: AsyncSession, owner: UUID, key: IdempotencyKey) -> GenerationRow | None:
    """What the key has made with the same input, as it is now; None when there is nothing, or nothing left."""
    id = await idempotency.made(session, owner, key)
    return await _get(session, id) if id else None


async def create(
    session: AsyncSession, owner: UUID, new: NewGeneration, allowance: Allowance, *, key: IdempotencyKey | None = None
) -> Changed:
    """A QUEUED generation; or, under a key that was used, the one made then, as it is now; or the one that it reuses.

    Raises RateLimitError, QuotaExceededError, ConflictError (the key with another input), NotFoundError (what the key
    made is deleted), StaleModelError. The session must be rolled back then: a refused request keeps no key and uses up
    no limit.
    """
    earlier = await reusable(session, owner, new)
    id = earlier.id if earlier else uuid4()
    if key and (kept := await idempotency.keep(session, owner, key, generation_id=id)):
        row = await _get(session, kept)
        if row is None:
            raise idempotency.gone(kept)
        return Changed(row)
    if earlier:
        return Changed(earlier)
    return (await submissions.within(session, owner, [new], allowance, ids=[id]))[0]


async def reusable(session: AsyncSession, owner: UUID, new: NewGeneration) -> GenerationRow | None:
    """The owner's newest that is COMPLETED, still has its images, and must be what `new` would come out as.

    Raises StaleModelError.
    """
    if not new.reuse or new.reuse_key is None:
        return None
    model = {"model_id": new.model.id, "updated_at": new.model.updated_at}
    found = (await session.execute(REUSABLE, {"owner": owner, "key": new.reuse_key, **model})).one()
    if not found.is_current:
        raise StaleModelError
    return GenerationRow.model_validate(orjson.loads(found.row)) if found.row else None


async def _get(session: AsyncSession, id: UUID) -> GenerationRow | None:
    return await session.get(GenerationRow, id)
