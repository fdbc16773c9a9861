"""Tags: what images carry, and how many of those somebody may see."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from db import neighbours, shown
from db.errors import ForbiddenError, NotFoundError
from db.tables import GenerationRow, TagRow

# Of each image, by name.
OF_IMAGES = neighbours.many(
    shown.TAGS,
    "m.image_id",
    "image_tags m join tags t on t.id = m.tag_id where m.image_id = any ({keys}::uuid[]) order by t.name",
)
# How many images that the caller may see carry each tag: those that everybody may, and their own.
COUNTS = neighbours.value(
    """select row(t.id, t.public_count + (
        select count(*) from image_tags m
        where m.tag_id = t.id and m.user_id = (select picture.viewer_id()) and not m.is_public))
    from tags t where t.id = any ({keys}::uuid[])""",
    0,
)


# Who has many images finds the tags of those that only they see by one stretch of an index; of all others it takes no
# more than the most used.
PAGE = text("""
    with mine as materialized (
        select tag_id as id, count(*) as count from image_tags
        where user_id = (select picture.viewer_id()) and not is_public group by tag_id
    ), listed as (
        (select id from tags where public_count > 0 and (:part = '' or position(:part in name) > 0)
            order by public_count desc, name limit :most)
        union select id from mine
        union select id from tags where created_by = (select picture.viewer_id())
    )
    select t.id, t.name, t.color, t.created_by, t.public_count, t.created_at
    from listed join tags t using (id) left join mine using (id)
    where :part = '' or position(:part in t.name) > 0
    order by t.public_count + coalesce(mine.count, 0) desc, t.name limit :most
""")


async def page(session: AsyncSession, part: str, most: int) -> Sequence[TagRow]:
    """What is on images that the viewer may see, and what they have made, with `part` in its name; most used first."""
    query = select(TagRow).from_statement(PAGE)
    return (await session.scalars(query, {"part": part.replace("\0", ""), "most": most})).all()


# Before anything else: who changes the same image waits here, and then sees what the other has done.
LOCK = text("select id from images where id = :id and user_id = picture.viewer_id() for update")
ADD = text("""
    with named as materialized (
        select picture.tags_named(cast(:names as text[])) as id
    ), carried as (
        select tag_id as id from image_tags where image_id = :id union select id from named
    ), added as (
        insert into image_tags (image_id, tag_id)
        select :id, id from named where (select count(*) from carried) <= :most
        on conflict (image_id, tag_id) do nothing
    )
    select count(*) <= :most from carried
""")
REMOVE = text("""
    delete from image_tags t using tags g where t.image_id = :id and g.id = t.tag_id and g.name = any(:names)
""")


async def add(session: AsyncSession, image_id: UUID, names: Sequence[str], *, most: int) -> bool:
    """Let the viewer's own image carry these, too; tags are made on their first use. False: these would be too many.

    Raises NotFoundError.
    """
    await _lock(session, image_id)
    return not names or bool(await session.scalar(ADD, {"id": image_id, "names": list(names), "most": most}))


async def remove(session: AsyncSession, image_id: UUID, names: Sequence[str]) -> None:
    """Let the viewer's own image carry none of these. Raises NotFoundError."""
    await _lock(session, image_id)
    await session.execute(REMOVE, {"id": image_id, "names": list(names)})


async def _lock(session: AsyncSession, image_id: UUID) -> None:
    if await session.scalar(LOCK, {"id": image_id}) is None:
        raise NotFoundError("There is no such image.", path=("imageId",), missing_id=image_id)


# Two statements: the second sees what somebody else has made at the same moment, for whom the first has waited.
MAKE = text("""
    insert into tags (name, created_by) select name, :owner from unnest(cast(:names as text[])) as name order by name
    on conflict (name) do nothing
""")
ATTACH = text("""
    insert into image_tags (image_id, tag_id)
    select i.id, t.id from images i cross join tags t
    where i.generation_id = :generation_id and i.attempt_id = :attempt_id and t.name = any (cast(:names as text[]))
    on conflict (image_id, tag_id) do nothing
""")


async def attach(session: AsyncSession, row: GenerationRow) -> None:
    """Let the images of a generation carry what was asked for; for the worker, in the transaction that stores them."""
    if row.tags:
        await session.execute(MAKE, {"owner": row.user_id, "names": row.tags})
        made = {"generation_id": row.id, "attempt_id": row.attempt_id}
        await session.execute(ATTACH, {**made, "names": row.tags})


PAINT = text("""
    update tags set color = case when :is_given then cast(:color as text) else color end
    where id = :id and (created_by = picture.viewer_id() or picture.is_admin())
    returning id
""")


async def paint(session: AsyncSession, id: UUID, color: str | None, *, is_given: bool) -> TagRow:
    """The tag in its colour. Raises NotFoundError, and ForbiddenError for who has not made it and is no admin."""
    painted = await session.scalar(PAINT, {"id": id, "color": color, "is_given": is_given})
    row = (await session.scalars(select(TagRow).where(col(TagRow.id) == id))).one_or_none()
    if row is None:
        raise NotFoundError("There is no such tag.", path=("id",), missing_id=id)
    if painted is None:
        raise ForbiddenError("Only who has made a tag, or an admin, changes it.")
    return row
