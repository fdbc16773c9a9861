"""Neighbours, many at once: one statement for all keys, answered in their order."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from sqlmodel import col, select

from db import images, models, queue
from db.claims import Claims
from db.database import Database
from db.queue import Place, QueueRules
from db.tables import GenerationRow, ImageRow, ModelRow, ProfileRow, TagRow, TemplateRow

Row = TypeVar("Row", GenerationRow, ImageRow, ModelRow, ProfileRow, TagRow, TemplateRow)


async def by_id(db: Database, claims: Claims, table: type[Row], ids: Sequence[UUID]) -> list[Row | None]:
    """The rows of these ids that the caller may see; None where there is none."""
    async with db.as_user(claims) as session:
        found = (await session.scalars(select(table).where(col(table.id).in_(set(ids))))).all()
    rows = {row.id: row for row in found}
    return [rows.get(id) for id in ids]


async def images_by_generation(db: Database, claims: Claims, ids: Sequence[UUID]) -> list[list[ImageRow]]:
    """The images of each generation, by index; an empty list where there are none."""
    grouped: defaultdict[UUID | None, list[ImageRow]] = defaultdict(list)
    async with db.as_user(claims) as session:
        for image in await images.of_generations(session, list(set(ids))):
            grouped[image.generation_id].append(image)
    return [grouped[id] for id in ids]


async def places(db: Database, claims: Claims, rules: QueueRules, ids: Sequence[UUID]) -> list[Place | None]:
    """Where each generation stands; None for those that do not wait."""
    async with db.as_user(claims) as session:
        found = await queue.places(session, list(set(ids)), rules)
    return [found.get(id) for id in ids]


async def availability(db: Database, claims: Claims, rules: QueueRules, ids: Sequence[UUID]) -> list[bool]:
    """Whether a worker that is up can run each model now."""
    async with db.as_user(claims) as session:
        available = await models.available_ids(session, rules.worker_up_seconds)
    return [id in available for id in ids]
