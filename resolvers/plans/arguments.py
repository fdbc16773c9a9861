"""Fields whose arguments decide what they read: by the same functions as their resolvers, to an entry and values."""

from collections.abc import Mapping
from typing import Any

from db import narrowing
from db.narrowing import ImageFilter, Scope
from db.paging import Order, PageRequest
from db.reading import lists
from db.reading.entries import Asked, Entry, One
from db.reading.keysets import listing, places
from resolvers.filters import NOTHING, generation_filter, image_filter
from resolvers.ids import row_id
from resolvers.images import ORDERS, SCOPES
from resolvers.plans.calls import Bind
from resolvers.plans.errors import UnplannedError
from schema.context import Context
from schema.enums import ImageScope
from schema.node import Node, page_request
from schema.picture import Generation, Image

Arguments = dict[str, Any]


def _by_id(table: str, type_: type[Node]) -> Bind:
    entry = One(f"{table} {{t}} where {{t}}.id = {{row_id}}::uuid")

    def bind(context: Context, arguments: Arguments) -> Asked:
        return Asked(entry, {"row_id": row_id(arguments["id"], type_) or NOTHING})

    return bind


def _as_given(entry: Entry) -> Bind:
    return lambda context, arguments: Asked(entry, arguments)


def _page(context: Context, arguments: Arguments, order: Order = "NEWEST") -> PageRequest:
    first, after, last, before = (arguments.get(name) for name in ("first", "after", "last", "before"))
    return page_request(context.bounds, first, after, last, before, order=order)


def _images(context: Context, arguments: Arguments) -> Asked:
    scope, order, viewer = SCOPES[arguments["scope"]], ORDERS[arguments["order"]], context.claims.sub
    request = _page(context, arguments, order)
    filter = image_filter(arguments.get("filter") or None)
    if arguments["scope"] is not ImageScope.PUBLIC and viewer is None:
        return _empty(lists.NO_IMAGES)
    if _looks_up(scope, filter, order):
        raise UnplannedError
    entry = listing(narrowing.shelf(scope, filter, order), request, order, may_know_total=True)
    key = (scope, filter, viewer if scope != "PUBLIC" or filter.is_own else None)
    values = {name: value for name, value in narrowing.values(None, filter).items() if name != "viewer"}
    return Asked(entry, {**values, **places(request), "known_total": context.counts.get(key)}, key)


def _looks_up(scope: Scope, filter: ImageFilter, order: Order) -> bool:
    """Whether something is looked up before the page, so that it is no single statement."""
    is_dated = filter.created_after is not None or filter.created_before is not None
    is_few = order == "MOST_LIKED" and scope == "PUBLIC" and filter.owner_id is None and is_dated
    return is_few or filter.search is not None or bool(filter.tags)


def _images_of_profile(context: Context, arguments: Arguments) -> Asked:
    request = _page(context, arguments)
    return Asked(listing(lists.OF_PROFILE, request), places(request))


def _generations(context: Context, arguments: Arguments) -> Asked:
    request = _page(context, arguments)
    filter = generation_filter(arguments.get("filter") or None)
    if context.claims.sub is None:
        return _empty(lists.NO_GENERATIONS)
    narrowed = lists.my_generations(filter)
    return Asked(listing(narrowed.shelf, request), {**narrowed.values, **places(request)})


def _empty(shelf: narrowing.Shelf) -> Asked:
    """What is nobody's own is empty, wherever a page of it begins."""
    request = PageRequest(limit=0)
    return Asked(listing(shelf, request), places(request))


BINDS: Mapping[tuple[str, str], Bind] = {
    ("Query", "generation"): _by_id("image_generations", Generation),
    ("Query", "generations"): _generations,
    ("Query", "image"): _by_id("images", Image),
    ("Query", "images"): _images,
    ("Query", "model"): _as_given(lists.MODEL),
    ("Query", "models"): _as_given(lists.MODELS),
    ("Profile", "images"): _images_of_profile,
}
