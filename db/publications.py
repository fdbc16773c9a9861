"""Images that everybody may see from now on."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, or_, select

from db import tags
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
    carried = await tags.of_images(db, ANONYMOUS, [row.id for row in rows])
    return [Published(row, frozenset(tag.name for tag in listed)) for row, listed in zip(rows, carried, strict=True)]
