"""Relay's connections in SQL: one select that aggregates the rows of a page."""

from collections.abc import Mapping

from db.reading.entries import Listing


def rows(listing: Listing) -> str:
    """What stands behind `from`: the page and one row more, in the list's order, each with its place in the reading."""
    keys = listing.keys
    shown = "".join(f", {column} as key_{place}" for place, (column, _) in enumerate(keys))
    downwards = listing.descending != listing.backwards
    order = ", ".join(f"{column} {'desc' if downwards else 'asc'}" for column, _ in keys)
    between = _between(listing)
    read = f"select {{t}}.*{shown} from {listing.source}{between} order by {order} limit {{limit}}::bigint + 1"
    placed = f"select {{t}}.*, row_number() over () as row_place from ({read}) {{t}}"
    # Read from the other end: turned round, so that aggregates meet them in the list's order.
    return f"({placed}{' order by row_place desc' if listing.backwards else ''}) {{t}}"


def _between(listing: Listing) -> str:
    keys, conditions = listing.keys, ""
    columns = ", ".join(column for column, _ in keys)
    for name, is_given, is_after in (("after", listing.has_after, True), ("before", listing.has_before, False)):
        if is_given:
            place = ", ".join(f"{{{name}_{number}}}::{type_}" for number, (_, type_) in enumerate(keys))
            conditions += f" and ({columns}) {'<' if is_after == listing.descending else '>'} ({place})"
    return conditions


def edges(edge: str) -> str:
    """The edges of a page, each the JSON that `edge` is."""
    return f"coalesce(json_agg({edge}) filter (where {{t}}.row_place <= {{limit}}::bigint), '[]')"


def cursor(listing: Listing) -> str:
    """Of one row of the page."""
    return listing.cursor.format(*(f"{{t}}.key_{number}" for number in range(len(listing.keys))))


def info(listing: Listing) -> Mapping[str, str]:
    """What `PageInfo` says of a page. `count(*)` would count the select it stands in, not the rows of the page."""
    count = "count({t}.row_place)"
    has_more = f"{count} > {{limit}}::bigint"
    return {
        "hasNextPage": _sql(listing.has_before) if listing.backwards else has_more,
        "hasPreviousPage": has_more if listing.backwards else _sql(listing.has_after),
        "startCursor": _at(listing, "1"),
        "endCursor": _at(listing, f"least({{limit}}::bigint, {count})::int"),
    }


def _at(listing: Listing, place: str) -> str:
    """The cursor of the page's row at that place."""
    keys = (
        f"(array_agg({{t}}.key_{number}) filter (where {{t}}.row_place <= {{limit}}::bigint))[{place}]"
        for number in range(len(listing.keys))
    )
    return listing.cursor.format(*keys)


def _sql(value: bool) -> str:
    return "true" if value else "false"
