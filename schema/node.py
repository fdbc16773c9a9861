"""What has a global id, and how lists of it are paged."""

from binascii import b2a_base64
from functools import lru_cache
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from db.paging import Order, Page, PageRequest
from schema.bounds import Bounds

GLOBAL_IDS = 4096  # remembered: events tell the same few again and again


@lru_cache(GLOBAL_IDS)
def global_id(type_name: str, row_id: UUID) -> strawberry.ID:
    """The id that clients see: as Relay does, base64 of the type's name and the row's id."""
    return strawberry.ID(b2a_base64(f"{type_name}:{row_id}".encode(), newline=False).decode())


@strawberry.interface(description="Anything that can be fetched again by its global id.")
class Node:
    id: strawberry.ID = strawberry.field(description="Global: unlike every other id of any type.")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there is more behind `endCursor`.")
    has_previous_page: bool = strawberry.field(description="Whether there is more before `startCursor`.")
    start_cursor: str | None = strawberry.field(description="Of the first entry; pass it as `before`.")
    end_cursor: str | None = strawberry.field(description="Of the last entry; pass it as `after`.")

    @classmethod
    def of(cls, page: Page[Any], cursors: list[str]) -> "PageInfo":
        """What `page` says of itself; `cursors` are those of its entries."""
        return cls(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )


def page_request(
    bounds: Bounds,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
    *,
    order: Order = "NEWEST",
) -> PageRequest:
    """Which rows a connection's arguments ask for; null is as good as absent. Raises BadRequestError."""
    return PageRequest.of(
        first if first is not UNSET else None,
        after if after is not UNSET else None,
        last if last is not UNSET else None,
        before if before is not UNSET else None,
        default=bounds.page_default,
        maximum=bounds.page_max,
        order=order,
    )
