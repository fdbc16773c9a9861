"""Images in pages: a gallery, narrowed and in an order, or those of many people at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, text, true, values
from sqlalchemy import column as sql_column
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.types import Uuid
from sqlmodel import col, select

from db import narrowing, paging
from db.claims import Claims
from db.counts import EXACT_COUNT, Counts
from db.database import Database
from db.narrowing import Found, ImageFilter, Scope
from db.paging import Order, Page, PageRequest
from db.tables import ImageRow

OwnerPage = tuple[UUID, PageRequest]
# Images that are gone through whole: 10 µs each. Of more, 50 are met among the next 15,000 of a million (1 µs each, as
# they lie), or 6,000 (10 µs, as they are liked).
FEW, FEW_BY_LIKES = 2_000, 5_000
COLUMNS = ", ".join(f"{{t}}.{name}" for name in ImageRow.model_fields)


async def page(
    session: AsyncSession,
    counts: Counts,
    viewer: UUID | None,
    scope: Scope,
    request: PageRequest,
    filter: ImageFilter,
    order: Order = "NEWEST",
    *,
    few: int = FEW,
    few_by_likes: int = FEW_BY_LIKES,
) -> Page[ImageRow]:
    """A page of the scope, narrowed: one statement, and one or two before it where there is something to look up."""
    found = await _find(session, counts, scope, filter, few)
    if found is None:
        return paging.cut((), request)
    if order == "MOST_LIKED" and scope == "PUBLIC" and filter.owner_id is None and found.ids is None:
        found = await _gather(session, viewer, filter, found, few_by_likes)
    statement, bounds = narrowing.page(narrowing.shelf(scope, filter, order, found), COLUMNS, request)
    query = select(ImageRow).from_statement(narrowing.bound(statement))
    rows = await session.scalars(query, {**narrowing.values(viewer, filter, found), **bounds})
    return paging.cut(rows.all(), request)


async def count(session: AsyncSession, counts: Counts, viewer: UUID | None, scope: Scope, filter: ImageFilter) -> int:
    """How many `page` would go through: exact up to EXACT_COUNT, beyond that as of the last minute."""
    key = (scope, filter, viewer if scope != "PUBLIC" or filter.is_own else None)
    known = counts.get(key)
    if known is not None:
        return known
    found = await _find(session, counts, scope, filter, 0)
    if found is None:
        return 0
    if scope == "PUBLIC" and filter == ImageFilter(tags=filter.tags) and len(found.tag_ids) == 1:
        return found.tag_uses
    statement = narrowing.count(narrowing.shelf(scope, filter, "NEWEST", found, to_count=True))
    if scope == "PUBLIC" and filter == ImageFilter(search=filter.search) and found.is_said:
        statement = COUNT_SAID
    values = narrowing.values(viewer, filter, found)
    counted = await session.scalar(narrowing.bound(statement), {**values, "most": EXACT_COUNT + 1}) or 0
    if counted > EXACT_COUNT:
        counted = await session.scalar(narrowing.bound(statement), {**values, "most": None}) or 0
        counts.put(key, counted)
    return int(counted)


# Only what search or tags narrow is looked up before its page: a word or a tag that few images have is gone through
# whole, one that many have is met often enough on the way along the order. Which it is, no planner can know in advance;
# of a word that many have it is remembered for a minute.
LOOK_UP = text("""
    with asked as materialized (
        select picture.words(:search) as words
    ), found as materialized (
        select words <> '{}' as has_words, case when words <> '{}' and :few > 0 then array(
            select picture.matching(words || cast(:marks as text[]), :mine, :few + 1)) end as ids from asked
    )
    select has_words, ids is not null as is_looked_up, case when cardinality(ids) <= :few then ids end as ids,
        array(select id from tags where name = any (cast(:tags as text[])) order by public_count, id) as tag_ids,
        (select min(public_count) from tags where name = any (cast(:tags as text[]))) as tag_uses
    from found
""")
COUNT_SAID = "select count(*) from picture.matching(picture.words({search}::text), false, {most}::int)"


async def _find(session: AsyncSession, counts: Counts, scope: Scope, filter: ImageFilter, few: int) -> Found | None:
    """What search and tags come to, of at most `few` images their ids; None when no image has all of that."""
    if filter.search is None and not filter.tags:
        return Found()
    key = ("said by many", filter.search, filter.owner_id, scope == "PUBLIC")
    asked: dict[str, object] = {
        "search": filter.search or "",
        "marks": [f"@{filter.owner_id}"] if filter.owner_id else [],
        "mine": scope != "PUBLIC",
        "tags": list(filter.tags or ()),
        "few": 0 if scope == "LIKED" or (scope == "PUBLIC" and counts.get(key)) else few,
    }
    seen = (await session.execute(LOOK_UP, asked)).one()
    if len(seen.tag_ids) < len(filter.tags or ()) or seen.ids == []:
        return None
    if seen.is_looked_up and seen.ids is None and scope == "PUBLIC":
        counts.put(key, EXACT_COUNT + 1)  # as good as too many
    tags: dict[str, Any] = {"tag_ids": tuple(seen.tag_ids), "tag_uses": seen.tag_uses or 0}
    if seen.ids is not None:
        return Found(ids=tuple(seen.ids), **tags)
    return Found(is_said=seen.has_words, **tags)


# Of the indexes of tags and words, which do not know the likes.
CARRIERS = text("""
    select image_id from image_tags where is_public and tag_id = any (cast(:tag_ids as uuid[]))
        and (not :is_said or image_id in (select picture.matching(picture.words(:search), false, null)))
    group by image_id having count(*) = cardinality(cast(:tag_ids as uuid[])) limit :few + 1
""")


async def _gather(session: AsyncSession, viewer: UUID | None, filter: ImageFilter, found: Found, few: int) -> Found:
    """With the ids of what tags or dates leave, where these are few enough to be put in order by their likes."""
    if len(found.tag_ids) == 1 and not found.is_said:
        return replace(found, is_rare=found.tag_uses <= few)
    if found.tag_ids:
        asked = {"tag_ids": list(found.tag_ids), "is_said": found.is_said, "search": filter.search, "few": few}
        ids = (await session.scalars(CARRIERS, asked)).all()
    elif filter.created_after or filter.created_before:
        shelf = narrowing.shelf("PUBLIC", filter, "NEWEST")
        statement, bounds = narrowing.page(shelf, "{t}.id", PageRequest(few))
        values = {**narrowing.values(viewer, filter), **bounds}
        ids = (await session.scalars(narrowing.bound(statement), values)).all()
    else:
        return found
    return replace(found, ids=tuple(ids)) if len(ids) <= few else found


def _shown() -> ColumnElement[bool]:
    shown = (col(ImageRow.is_public), col(ImageRow.archived_at).is_(None), col(ImageRow.hidden_at).is_(None))
    return and_(*shown)


async def public_pages(db: Database, claims: Claims, pages: Sequence[OwnerPage]) -> list[Page[ImageRow]]:
    """A page of each owner, newest first: one statement for all that ask for the same part."""
    owners: defaultdict[PageRequest, set[UUID]] = defaultdict(set)
    for owner, request in pages:
        owners[request].add(owner)
    found: dict[OwnerPage, list[ImageRow]] = defaultdict(list)
    async with db.as_user(claims) as session:
        for request, ids in owners.items():
            asked = values(sql_column("owner", Uuid), name="asked").data([(id,) for id in ids])
            mine = select(ImageRow).where(col(ImageRow.user_id) == asked.c.owner, _shown())
            inner = paging.bounded(mine, request, col(ImageRow.created_at), col(ImageRow.id)).lateral()
            image = aliased(ImageRow, inner)
            for row in await session.scalars(select(image).select_from(asked).join(inner, true())):
                found[row.user_id, request].append(row)
    for (_, request), rows in found.items():  # a join promises no order
        rows.sort(key=lambda row: (row.created_at, row.id), reverse=not request.backwards)
    return [paging.cut(found[page], page[1]) for page in pages]


async def public_counts(db: Database, claims: Claims, owners: Sequence[UUID]) -> list[int]:
    """How many images of each owner everybody may see."""
    counts = select(col(ImageRow.user_id), func.count()).where(col(ImageRow.user_id).in_(set(owners)), _shown())
    async with db.as_user(claims) as session:
        found = dict((await session.execute(counts.group_by(col(ImageRow.user_id)))).all())
    return [found.get(owner, 0) for owner in owners]
