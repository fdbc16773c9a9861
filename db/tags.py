"""Tags: what images carry, and how many of those somebody may see."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, column, table, text
from sqlmodel import col, select

from db.claims import Claims
from db.database import Database
from db.tables import TagRow

CARRIED = table("image_tags", column("image_id", Uuid), column("tag_id", Uuid))
COUNTS = text("""
    select t.id, t.public_count + (
        select count(*) from image_tags m
        where m.tag_id = t.id and m.user_id = (select picture.viewer_id()) and not m.is_public)
    from tags t where t.id = any(cast(:ids as uuid[]))
""")


async def of_images(db: Database, claims: Claims, ids: Sequence[UUID]) -> list[list[TagRow]]:
    """The tags of each image, by name; an empty list where there are none to see."""
    query = select(CARRIED.c.image_id, TagRow).join(TagRow, col(TagRow.id) == CARRIED.c.tag_id)
    found: defaultdict[UUID, list[TagRow]] = defaultdict(list)
    async with db.as_user(claims) as session:
        ordered = query.where(CARRIED.c.image_id.in_(set(ids))).order_by(col(TagRow.name))
        for image_id, tag in await session.execute(ordered):
            found[image_id].append(tag)
    return [found[id] for id in ids]


async def counts(db: Database, claims: Claims, ids: Sequence[UUID]) -> list[int]:
    """How many images that the caller may see carry each tag: those that everybody may, and their own."""
    async with db.as_user(claims) as session:
        found = {id: count for id, count in await session.execute(COUNTS, {"ids": list(set(ids))})}
    return [found.get(id, 0) for id in ids]
