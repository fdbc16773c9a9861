"""Neighbours by their ids, and what is asked of the queue for many at once."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from sqlmodel import col, select

from db import models, neighbours, queue, shown
from db.claims import Claims
from db.database import Database
from db.queue import Place, QueueRules
from db.rows import Plain
from db.tables import GenerationRow, ImageRow, ModelRow, ProfileRow, TagRow, TemplateRow, UploadRow

Row = TypeVar("Row", GenerationRow, ImageRow, ModelRow, ProfileRow, TagRow, TemplateRow)

MODELS = neighbours.by_id(Plain(ModelRow))
PROFILES = neighbours.by_id(Plain(ProfileRow))
GENERATIONS = neighbours.by_id(shown.GENERATIONS)
IMAGES = neighbours.by_id(shown.IMAGES)
UPLOADS = neighbours.by_id(Plain(UploadRow))
TAGS = neighbours.by_id(shown.TAGS)
TEMPLATES = neighbours.by_id(Plain(TemplateRow))
IMAGES_OF_GENERATION = neighbours.many(
    shown.IMAGES, "t.generation_id", "images t where t.generation_id = any ({keys}::uuid[]) order by t.image_index"
)


async def by_id(db: Database, claims: Claims, table: type[Row], ids: Sequence[UUID]) -> list[Row | None]:
    """The whole rows of these ids that the caller may see; None where there is none."""
    async with db.as_user(claims) as session:
        found = (await session.scalars(select(table).where(col(table.id).in_(set(ids))))).all()
    rows = {row.id: row for row in found}
    return [rows.get(id) for id in ids]


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
