"""Images that everybody may see from now on."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, or_, select

from db import neighbours, tags
from db.claims import ANONYMOUS
from db.database import Database
from db.tables import ImageRow


@dataclass(frozen=True, slots=True)
class Published:
    """A public image, and what it carries."""

    row: ImageRow
    tags: frozenset[str]


async def read(db: Database, images: Sequence[UUID], generations: Sequence[UUID]) -> list[Published]:
    """Those of these images, and of what these generations made, that nobody in particular sees; oldest first."""
    wanted = or_(col(ImageRow.id).in_(images), col(ImageRow.generation_id).in_(generations))
    async with db.as_user(ANONYMOUS) as session:
        query = select(ImageRow).where(wanted).order_by(col(ImageRow.created_at), col(ImageRow.id))
        rows = (await session.scalars(query)).all()
    carried = (await neighbours.read(db, ANONYMOUS, {tags.OF_IMAGES: [row.id for row in rows]}))[tags.OF_IMAGES]
    return [Published(row, frozenset(tag.name for tag in carried[row.id])) for row in rows]
