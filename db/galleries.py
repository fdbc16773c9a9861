"""Images in pages: a gallery, narrowed and in an order, or those of many people at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from db import narrowing, neighbours, paging
from db.claims import Claims
from db.counts import EXACT_COUNT, Counts
from db.database import Database
from db.narrowing import Found, ImageFilter, Scope, Shelf
from db.paging import Order, Page, PageRequest
from db.shown import IMAGES
from db.tables import ImageRow

OwnerPage = tuple[UUID, PageRequest]
# Images that are gone through whole: 10 µs each. Of more, 50 are met among the next 15,000 of a million (1 µs each, as
# they lie), or 6,000 (10 µs, as they are liked).
FEW, FEW_BY_LIKES = 2_000, 5_000


# Only what search or tags narrow is looked up before its page: a word or a tag that few images have is gone through
# whole, one that many have is met often enough on the way along the order. Which it is, no planner can know in advance;
# of a word that many have it is remembered for a minute. (Ids as text: asyncpg knows no other list within a row.)
LOOK_UP = """
    with asked as materialized (
        select picture.words({search}::text) as words
    ), found as materialized (
        select cardinality(words) > 0 as has_words, case when cardinality(words) > 0 and {few}::int > 0 then array(
            select picture.matching(words || {marks}::text[], {mine}::boolean, {few}::int + 1)) end as ids from asked
    )
    select row(has_words, ids is not null, case when cardinality(ids) <= {few}::int then ids::text[] end,
        array(select id::text from tags where name = any ({tags}::text[]) order by public_count, id),
        (select min(public_count) from tags where name = any ({tags}::text[])))
    from found
"""
COUNT_SAID = "select count(*) from picture.matching(picture.words({search}::text), false, {most}::int)"
# Of the indexes of tags and words, which do not know the likes.
CARRIERS = """
    select image_id from image_tags where is_public and tag_id = any ({tag_ids}::uuid[])
        and (not {is_said}::boolean
            or image_id in (select picture.matching(picture.words({search}::text), false, null)))
    group by image_id having count(*) = cardinality({tag_ids}::uuid[]) limit {few}::int + 1
"""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Whose images are looked at, by whom, narrowed to which."""

    db: Database
    claims: Claims
    counts: Counts
    scope: Scope
    filter: ImageFilter

    async def page(
        self, request: PageRequest, order: Order = "NEWEST", *, few: int = FEW, few_by_likes: int = FEW_BY_LIKES
    ) -> Page[ImageRow]:
        """A page: one statement, and one or two before it where there is something to look up."""
        found = await self._find(few)
        if found is None:
            return paging.cut((), request)
        scope, filter = self.scope, self.filter
        if order == "MOST_LIKED" and scope == "PUBLIC" and filter.owner_id is None and found.ids is None:
            found = await self._gather(found, few_by_likes)
        shelf = narrowing.shelf(scope, filter, order, found)
        statement, bounds = narrowing.page(shelf, f"row({IMAGES.columns('{t}')})", request)
        rows = await self._read(f"array({statement})", {**self._values(found), **bounds})
        return paging.cut([IMAGES.of(row) for row in rows], request)

    async def count(self) -> int:
        """How many `page` would go through: exact up to EXACT_COUNT, beyond that as of the last minute."""
        scope, filter = self.scope, self.filter
        key = (scope, filter, self.claims.sub if scope != "PUBLIC" or filter.is_own else None)
        known = self.counts.get(key)
        if known is not None:
            return known
        found = await self._find(0)
        if found is None:
            return 0
        if scope == "PUBLIC" and filter == ImageFilter(tags=filter.tags) and len(found.tag_ids) == 1:
            return found.tag_uses
        statement = narrowing.count(narrowing.shelf(scope, filter, "NEWEST", found, to_count=True))
        if scope == "PUBLIC" and filter == ImageFilter(search=filter.search) and found.is_said:
            statement = COUNT_SAID
        values = self._values(found)
        counted = await self._read(f"({statement})", {**values, "most": EXACT_COUNT + 1})
        if counted > EXACT_COUNT:
            counted = await self._read(f"({statement})", {**values, "most": None})
            self.counts.put(key, counted)
        return int(counted)

    async def _find(self, few: int) -> Found | None:
        """What search and tags come to, of at most `few` images their ids; None when no image has all of that."""
        filter, counts, is_public = self.filter, self.counts, self.scope == "PUBLIC"
        if filter.search is None and not filter.tags:
            return Found()
        key = ("said by many", filter.search, filter.owner_id, is_public)
        asked: dict[str, object] = {
            "search": filter.search or "",
            "marks": [f"@{filter.owner_id}"] if filter.owner_id else [],
            "mine": not is_public,
            "tags": list(filter.tags or ()),
            "few": 0 if self.scope == "LIKED" or (is_public and counts.get(key)) else few,
        }
        has_words, is_looked_up, ids, tag_ids, tag_uses = await self._read(f"({LOOK_UP})", asked)
        if len(tag_ids) < len(filter.tags or ()) or ids == []:
            return None
        if is_looked_up and ids is None and is_public:
            counts.put(key, EXACT_COUNT + 1)  # as good as too many
        tags: dict[str, Any] = {"tag_ids": tuple(tag_ids), "tag_uses": tag_uses or 0}
        if ids is not None:
            return Found(ids=tuple(ids), **tags)
        return Found(is_said=has_words, **tags)

    async def _gather(self, found: Found, few: int) -> Found:
        """With the ids of what tags or dates leave, where these are few enough to be put in order by their likes."""
        filter = self.filter
        if len(found.tag_ids) == 1 and not found.is_said:
            return replace(found, is_rare=found.tag_uses <= few)
        if found.tag_ids:
            asked = {"tag_ids": list(found.tag_ids), "is_said": found.is_said, "search": filter.search, "few": few}
            ids = await self._read(f"array({CARRIERS})", asked)
        elif filter.created_after or filter.created_before:
            shelf = narrowing.shelf("PUBLIC", filter, "NEWEST")
            statement, bounds = narrowing.page(shelf, "{t}.id", PageRequest(few))
            ids = await self._read(f"array({statement})", {**self._values(Found()), **bounds})
        else:
            return found
        return replace(found, ids=tuple(ids)) if len(ids) <= few else found

    def _values(self, found: Found) -> dict[str, object]:
        return narrowing.values(self.claims.sub, self.filter, found)

    async def _read(self, expression: str, values: Mapping[str, object]) -> Any:
        return await self.db.direct.read(expression.replace("{t}", "i"), self.claims, values)


BY_AGE = (("{t}.created_at", "timestamptz"), ("{t}.id", "uuid"))
OF_OWNER = Shelf(narrowing.IMAGES, ("{t}.user_id = asked.owner", narrowing.SHOWN), BY_AGE, descending=True)
PUBLIC_PAGES = """array(select row({columns}) from unnest({{owners}}::uuid[]) as asked (owner)
    cross join lateral ({page}) i)"""


async def public_pages(db: Database, claims: Claims, pages: Sequence[OwnerPage]) -> list[Page[ImageRow]]:
    """A page of each owner, newest first: one statement for all that ask for the same part."""
    owners: defaultdict[PageRequest, set[UUID]] = defaultdict(set)
    for owner, request in pages:
        owners[request].add(owner)
    found: dict[OwnerPage, list[ImageRow]] = defaultdict(list)
    for request, ids in owners.items():
        page, bounds = narrowing.page(OF_OWNER, "{t}.*", request)
        expression = PUBLIC_PAGES.format(columns=IMAGES.columns("i"), page=page.replace("{t}", "i"))
        for values in await db.direct.read(expression, claims, {"owners": list(ids), **bounds}):
            row = IMAGES.of(values)
            found[row.user_id, request].append(row)
    for (_, request), rows in found.items():  # a join promises no order
        rows.sort(key=lambda row: (row.created_at, row.id), reverse=not request.backwards)
    return [paging.cut(found[page], page[1]) for page in pages]


# How many images of each owner everybody may see.
PUBLIC_COUNTS = neighbours.value(
    f"""select row(i.user_id, count(*)) from images i
    where i.user_id = any ({{keys}}::uuid[]) and {narrowing.SHOWN.format(t="i")} group by i.user_id""",  # noqa: S608
    0,
)
