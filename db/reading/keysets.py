"""Pages of lists, and cursors in SQL: what `db.paging.Cursor` writes, to the letter."""

from collections.abc import Mapping

from db.narrowing import Shelf
from db.paging import Order, PageRequest
from db.reading.entries import Listing

CURSORS: Mapping[Order, str] = {
    "NEWEST": "encode(timestamptz_send({0}) || uuid_send({1}), 'base64')",
    "OLDEST": "encode(timestamptz_send({0}) || uuid_send({1}) || 'o'::bytea, 'base64')",
    "MOST_LIKED": "encode(timestamptz_send({1}) || uuid_send({2}) || int4send({0}), 'base64')",
}


def listing(shelf: Shelf, request: PageRequest, order: Order = "NEWEST", *, may_know_total: bool = False) -> Listing:
    """The page of a shelf that `request` asks for."""
    return Listing(
        f"{shelf.source} where {shelf.condition}",
        shelf.keys,
        CURSORS[order],
        descending=shelf.descending,
        backwards=request.backwards,
        has_after=request.after is not None,
        has_before=request.before is not None,
        may_know_total=may_know_total,
    )


def places(request: PageRequest) -> Mapping[str, object]:
    """The values that the page of a listing names."""
    after, before = (cursor.keys if cursor else () for cursor in (request.after, request.before))
    given = {f"after_{number}": key for number, key in enumerate(after)}
    return {"limit": request.limit, **given, **{f"before_{number}": key for number, key in enumerate(before)}}
