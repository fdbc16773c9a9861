"""The catalogue as the database has it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from db.errors import InvalidInputError, NotFoundError
from db.tables import ModelRow


async def page(session: AsyncSession, *, include_inactive: bool = False) -> Sequence[ModelRow]:
    """All models in their order; there are few."""
    query = select(ModelRow).order_by(col(ModelRow.sort_order), col(ModelRow.slug))
    return (await session.scalars(query if include_inactive else query.where(col(ModelRow.is_active)))).all()


async def get(session: AsyncSession, slug: str) -> ModelRow | None:
    """The model of this slug, active or not."""
    return (await session.scalars(select(ModelRow).where(col(ModelRow.slug) == slug))).one_or_none()


async def require(session: AsyncSession, model: UUID | str, *, path: tuple[str, ...] = ()) -> ModelRow:
    """The active model of an id or a slug. Raises NotFoundError, or InvalidInputError when it is no longer offered."""
    matches = col(ModelRow.id) == model if isinstance(model, UUID) else col(ModelRow.slug) == model
    row = (await session.scalars(select(ModelRow).where(matches))).one_or_none()
    if row is None:
        raise NotFoundError("There is no such model.", path=path, missing_id=model)
    if not row.is_active:
        raise InvalidInputError(f"{row.name} is no longer offered.", path=path, code="MODEL_UNAVAILABLE")
    return row


AVAILABLE = text("select picture.available_models(:up_seconds)")


async def available_ids(session: AsyncSession, up_seconds: float) -> set[UUID]:
    """Models that a worker which was heard of in the last `up_seconds` can run."""
    return set((await session.scalars(AVAILABLE, {"up_seconds": float(up_seconds)})).all())


RETIRE = text("""
    update models set is_active = false, updated_at = now()
    where engine = :engine and is_active and slug <> all (cast(:slugs as text[]))
""")


async def sync(session: AsyncSession, engine: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Make the engine's models those of the catalogue; what is no longer in it stays, inactive, for old pictures.

    `updated_at` tells when one became another: what was checked before that is checked anew.
    """
    for entry in entries:
        values = {**entry, "engine": engine}
        statement = insert(ModelRow).values(**values)
        changed: dict[str, Any] = {name: statement.excluded[name] for name in values if name != "slug"}
        differs = or_(*(col(getattr(ModelRow, name)).is_distinct_from(value) for name, value in changed.items()))
        changed["updated_at"] = func.now()
        await session.execute(statement.on_conflict_do_update(index_elements=["slug"], set_=changed, where=differs))
    await session.execute(RETIRE, {"engine": engine, "slugs": [entry["slug"] for entry in entries]})


TYPICAL = text("""
    update models m set typical_seconds = t.seconds[1], spread = t.seconds[2] / nullif(t.seconds[1], 0)
    from models o cross join lateral (
        select percentile_cont(array[0.5, 0.9]) within group (order by latest.seconds) as seconds from (
            select generation_time_seconds / image_count as seconds from image_generations
            where model_id = o.id and status = 'completed' and generation_time_seconds is not null
            order by completed_at desc limit 100
        ) latest
    ) t
    where m.id = o.id and t.seconds is not null and (m.typical_seconds, m.spread)
        is distinct from (t.seconds[1], t.seconds[2] / nullif(t.seconds[1], 0))
""")


async def measure(session: AsyncSession) -> None:
    """Bring each model's median seconds, and how they spread, up to date, over its last 100 generations."""
    await session.execute(TYPICAL)
