"""Images in pages: a gallery, narrowed and in an order, or those of many people at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
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
COLUMNS = ", ".join(f"{{t}}.{name}" for name in ImageRow.model_fields)


async def page(
    session: AsyncSession,
    viewer: UUID | None,
    scope: Scope,
    request: PageRequest,
    filter: ImageFilter,
    order: Order = "NEWEST",
    *,
    few: int = EXACT_COUNT,
) -> Page[ImageRow]:
    """A page of the scope, narrowed: one statement, one more where search or tags must be looked up first."""
    found = await _find(session, scope, filter, few)
    if found is None:
        return paging.cut((), request)
    if order == "MOST_LIKED" and scope == "PUBLIC" and filter.owner_id is None:
        found = await _gather(session, viewer, filter, found, few)
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
    found = await _find(session, scope, filter, EXACT_COUNT)
    if found is None:
        return 0
    statement = narrowing.bound(narrowing.count(narrowing.shelf(scope, filter, "NEWEST", found)))
    values = narrowing.values(viewer, filter, found)
    counted = await session.scalar(statement, {**values, "most": EXACT_COUNT + 1}) or 0
    if counted > EXACT_COUNT:
        counted = await session.scalar(statement, {**values, "most": None}) or 0
        counts.put(key, counted)
    return int(counted)


# Only what search or tags narrow is looked up before its page: a word or a tag that few images have is gone through
# whole, one that many have is met often enough on the way along the order. Which it is, no planner can know in advance.
LOOK_UP = text("""
    select asked.words, case when asked.words <> '{}' and :scope <> 'LIKED' then array(
            select picture.matching(asked.words || cast(:marks as text[]), :scope <> 'PUBLIC', :most)) end as ids,
        array(select id from tags where name = any (cast(:tags as text[])) order by public_count, id) as tag_ids
    from (select picture.words(:search) as words) as asked
""")


async def _find(session: AsyncSession, scope: Scope, filter: ImageFilter, few: int) -> Found | None:
    """What search and tags come to; None when no image has all of that."""
    if filter.search is None and not filter.tags:
        return Found()
    asked = {"search": filter.search or "", "tags": list(filter.tags or ()), "scope": scope, "most": few + 1}
    marks = [f"@{filter.owner_id}"] if filter.owner_id else []
    words, ids, tag_ids = (await session.execute(LOOK_UP, {**asked, "marks": marks})).one()
    if len(tag_ids) < len(filter.tags or ()) or (ids is not None and not ids):
        return None
    if ids is not None and len(ids) <= few:
        return Found(ids=tuple(ids), tag_ids=tuple(tag_ids))
    return Found(words=tuple(words), tag_ids=tuple(tag_ids))


async def _gather(session: AsyncSession, viewer: UUID | None, filter: ImageFilter, found: Found, few: int) -> Found:
    """The ids of what tags or dates leave, where these are few enough to be put in order by their likes."""
    is_narrow = found.tag_ids or filter.created_after or filter.created_before
    if found.ids is not None or not is_narrow:
        return found
    shelf = narrowing.shelf("PUBLIC", filter, "NEWEST", found)
    statement, bounds = narrowing.page(shelf, "{t}.id", PageRequest(few))
    ids = (
        await session.scalars(narrowing.bound(statement), {**narrowing.values(viewer, filter, found), **bounds})
    ).all()
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
