"""Galleries in SQL: the one place that says which images a scope and a filter mean, and by what an order goes.

Nothing here runs. In every text `{t}` is the alias of the image, any other name in braces a value that says its type
where it stands (`{viewer}::uuid`); `values` gives them. Row-level security comes on top, and LIKED relies on it: those
that one likes and may see. Each order goes by an index whatever the scope (migration 0007), so a page costs the same
wherever it begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from db.paging import Order, PageRequest

Scope = Literal["MINE", "PUBLIC", "ARCHIVED", "LIKED"]

SHOWN = "{t}.is_public and {t}.archived_at is null and {t}.hidden_at is null"
SCOPES: Mapping[Scope, str] = {
    "MINE": "{t}.user_id = {viewer}::uuid and {t}.archived_at is null",
    "PUBLIC": SHOWN,
    "ARCHIVED": "{t}.user_id = {viewer}::uuid and {t}.archived_at is not null",
    "LIKED": "l.user_id = {viewer}::uuid",
}
FILTERS: Mapping[str, str] = {
    "model_id": "{t}.model_id = {model_id}::uuid",
    "owner_id": "{t}.user_id = {owner_id}::uuid",
    "is_favorite": "{t}.user_id = {viewer}::uuid and {t}.is_favorite = {is_favorite}::boolean",
    "min_rating": "{t}.user_id = {viewer}::uuid and {t}.rating >= {min_rating}::int",
    "created_after": "{t}.created_at > {created_after}::timestamptz",
    "created_before": "{t}.created_at < {created_before}::timestamptz",
}
# What is looked up before: the ids that a search found, where they are few; the ids of the tags, the rarest first.
IDS = "{t}.id = any ({ids}::uuid[])"
# Scalar, as `exists` would become a join, and that begins at whichever end looks the cheaper.
TAG = "(select true from image_tags m where m.image_id = {t}.id and m.tag_id = ({tag_ids}::uuid[])[1])"
TAGGED_IDS = """{t}.id = any (array(
    select m.image_id from image_tags m where m.is_public and m.tag_id = ({tag_ids}::uuid[])[1]))"""
TAGS = """cardinality({tag_ids}::uuid[]) = (
    select count(*) from image_tags m where m.image_id = {t}.id and m.tag_id = any ({tag_ids}::uuid[]))"""
# Of a word that many have: asked of one image after the other along an order, or of all at once to count them.
SAID = """(select w.words @> (select picture.words({search}::text))
    from image_words w where w.image_id = {t}.id)"""
MATCHING = "{t}.id in (select picture.matching(picture.words({search}::text), MINE, null))"

IMAGES = "images {t}"
LIKES = "image_likes l join images {t} on {t}.id = l.image_id"
TAGGED = "image_tags d join images {t} on {t}.id = d.image_id"


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """Which images; what is None does not narrow. The marks mean the viewer's own images."""

    search: str | None = None
    tags: tuple[str, ...] | None = None  # normalised; an image carries all of them
    model_id: UUID | None = None
    owner_id: UUID | None = None
    is_favorite: bool | None = None
    min_rating: int | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None

    @property
    def is_own(self) -> bool:
        """Whether it means the viewer's own images, whatever the scope."""
        return self.is_favorite is not None or self.min_rating is not None


@dataclass(frozen=True, slots=True)
class Found:
    """What search and tags came to before the page."""

    ids: tuple[UUID | str, ...] | None = None  # no others than these
    is_said: bool = False  # the words are left to the page
    tag_ids: tuple[UUID | str, ...] = ()
    tag_uses: int = 0  # images that everybody may see with the rarest of them
    is_rare: bool = False  # so few that those with the one tag are best gone through whole


@dataclass(frozen=True, slots=True)
class Shelf:
    """Rows `from source where …`, by `keys` (each with its type), all descending or all ascending."""

    source: str
    where: tuple[str, ...]
    keys: tuple[tuple[str, str], ...]
    descending: bool

    @property
    def condition(self) -> str:
        """All of them."""
        return " and ".join(f"({one})" for one in self.where)


def shelf(scope: Scope, filter: ImageFilter, order: Order, found: Found = Found(), *, to_count: bool = False) -> Shelf:
    """The rows of a scope that a filter leaves, in an order; what `search` and `tags` mean stands in `found`."""
    where = [SCOPES[scope], *(text for name, text in FILTERS.items() if getattr(filter, name) is not None)]
    if found.ids is not None:
        where.append(IDS)
    if found.is_said:
        where.append(MATCHING.replace("MINE", str(scope != "PUBLIC")) if to_count and scope != "LIKED" else SAID)
    shelf = Shelf(IMAGES, tuple(where), (("{t}.created_at", "timestamptz"), ("{t}.id", "uuid")), order != "OLDEST")
    if scope == "LIKED":
        keys = (("l.image_created_at", "timestamptz"), ("l.image_id", "uuid"))
        shelf = replace(shelf, source=LIKES, keys=keys)
    elif found.tag_ids and found.ids is None and (scope != "PUBLIC" or order != "MOST_LIKED"):
        shelf = _by_tag(shelf, scope, filter)
    if found.tag_ids and (shelf.source != TAGGED or len(found.tag_ids) > 1):
        one = TAGGED_IDS if found.is_rare else TAG
        shelf = replace(shelf, where=(*shelf.where, TAGS if len(found.tag_ids) > 1 else one))
    if order == "MOST_LIKED":
        shelf = replace(shelf, keys=(("{t}.like_count", "int"), ("{t}.created_at", "timestamptz"), ("{t}.id", "uuid")))
    return shelf


def page(shelf: Shelf, columns: str, request: PageRequest) -> tuple[str, dict[str, object]]:
    """The statement for a page and one row more, and the values of its bounds; `paging.cut` makes the page of it."""
    keys = [key for key, _ in shelf.keys]
    where = [shelf.condition]
    bounds: dict[str, object] = {"limit": request.limit + 1}
    for name, cursor, follows in (("after", request.after, True), ("before", request.before, False)):
        if cursor:
            place = ", ".join(f"{{{name}_{at}}}::{type}" for at, (_, type) in enumerate(shelf.keys))
            where.append(f"({', '.join(keys)}) {'<' if follows == shelf.descending else '>'} ({place})")
            bounds |= {f"{name}_{at}": key for at, key in enumerate(cursor.keys)}
    direction = "desc" if shelf.descending != request.backwards else "asc"
    order = ", ".join(f"{key} {direction}" for key in keys)
    rows = f"{shelf.source} where {' and '.join(where)} order by {order}"
    return f"select {columns} from {rows} limit {{limit}}::int", bounds  # noqa: S608 – texts of our own only


def count(shelf: Shelf) -> str:
    """The statement that counts the rows, `{most}` at most; all of them when that is null."""
    rows = f"{shelf.source} where {shelf.condition}"
    return f"select count(*) from (select from {rows} limit {{most}}::int) as counted"  # noqa: S608 – as above


def _by_tag(shelf: Shelf, scope: Scope, filter: ImageFilter) -> Shelf:
    """The same, along the index of the rarest tag: beside a tag stands all that such a page needs of its image."""
    where = ["d.tag_id = ({tag_ids}::uuid[])[1]", "d.is_public" if scope == "PUBLIC" else "d.user_id = {viewer}::uuid"]
    if filter.owner_id is not None:
        where.append("d.user_id = {owner_id}::uuid")
    where += [text.replace("{t}.created_at", "d.image_created_at") for text in shelf.where]
    keys = (("d.image_created_at", "timestamptz"), ("d.image_id", "uuid"))
    return replace(shelf, source=TAGGED, where=tuple(where), keys=keys)


def values(viewer: UUID | None, filter: ImageFilter, found: Found = Found()) -> dict[str, object]:
    """What the names in braces stand for."""
    narrowing = {name: getattr(filter, name) for name in FILTERS}
    looked_up = {"ids": list(found.ids or ()), "tag_ids": list(found.tag_ids), "search": filter.search}
    return {"viewer": viewer, **narrowing, **looked_up}
