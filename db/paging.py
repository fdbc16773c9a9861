"""Keyset pages: a cursor is a place in an order, so a page costs the same wherever it begins."""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Literal, Self, TypeVar
from uuid import UUID

from sqlalchemy import Select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from db.errors import BadRequestError

Row = TypeVar("Row")
Order = Literal["NEWEST", "OLDEST", "MOST_LIKED"]

DEFAULT_PAGE_COUNT = 20
MAX_PAGE_COUNT = 100
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # from which Postgres counts


# What follows the keys says which order the place is in: one of another order would be taken for a place in this one.
ENDS: dict[Order, str] = {"NEWEST": "0s", "OLDEST": "1s", "MOST_LIKED": "i"}


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows of an order by (created_at, id), or by (likes, created_at, id)."""

    created_at: datetime
    id: UUID
    order: Order = "NEWEST"
    likes: int = 0

    @property
    def keys(self) -> tuple[object, ...]:
        """What the order goes by, at this place."""
        return (self.likes, self.created_at, self.id) if self.order == "MOST_LIKED" else (self.created_at, self.id)

    def encode(self) -> str:
        """Opaque to clients: as Postgres sends the instant and the id, then `o` (OLDEST) or the likes (MOST_LIKED)."""
        since = (self.created_at - EPOCH) // timedelta(microseconds=1)
        end = self.likes if self.order == "MOST_LIKED" else b"o"
        return base64.b64encode(struct.pack(f">q16s{ENDS[self.order]}", since, self.id.bytes, end)).decode()

    @classmethod
    def parse(cls, text: str, *, name: str, order: Order = "NEWEST") -> Self:
        """The cursor that `encode` wrote for this order. Raises BadRequestError naming the argument."""
        try:
            since, id, end = struct.unpack(f">q16s{ENDS[order]}", base64.b64decode(text, validate=True))
            place = cls(
                EPOCH + timedelta(microseconds=since), UUID(bytes=id), order, end if order == "MOST_LIKED" else 0
            )
            if place.encode() != text:
                raise ValueError(text)
        except (ValueError, OverflowError, struct.error) as error:
            raise BadRequestError(f"`{name}` is not a cursor of this list.", path=(name,)) from error
        return place


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which rows: `limit` of them, from one end of what lies between the cursors."""

    limit: int
    backwards: bool = False
    after: Cursor | None = None
    before: Cursor | None = None

    @classmethod
    def of(
        cls,
        first: int | None,
        after: str | None,
        last: int | None,
        before: str | None,
        *,
        default: int = DEFAULT_PAGE_COUNT,
        maximum: int = MAX_PAGE_COUNT,
        order: Order = "NEWEST",
    ) -> Self:
        """A request from a connection's arguments. Raises BadRequestError."""
        if first is not None and last is not None:
            raise BadRequestError("Give `first` or `last`, not both.", path=("first",))
        name, limit = ("last", last) if last is not None else ("first", default if first is None else first)
        if not 0 <= limit <= maximum:
            raise BadRequestError(f"`{name}` must be between 0 and {maximum}.", path=(name,))
        return cls(
            limit=limit,
            backwards=last is not None,
            after=Cursor.parse(after, name="after", order=order) if after is not None else None,
            before=Cursor.parse(before, name="before", order=order) if before is not None else None,
        )


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows in the list's order, and whether there are more on either side."""

    rows: Sequence[Row]
    has_next: bool
    has_previous: bool


async def fetch(
    session: AsyncSession, query: Select[Row], request: PageRequest, created_at: Mapped[datetime], id: Mapped[UUID]
) -> Page[Row]:
    """One page of `query` by (created_at, id), newest first: one statement."""
    return cut((await session.scalars(bounded(query, request, created_at, id))).all(), request)


def bounded(query: Select[Row], request: PageRequest, created_at: Mapped[datetime], id: Mapped[UUID]) -> Select[Row]:
    """`query` between the cursors, from the end asked for, and one row more than asked for."""
    keys = tuple_(created_at, id)
    if request.after:
        query = query.where(keys < tuple_(request.after.created_at, request.after.id))
    if request.before:
        query = query.where(keys > tuple_(request.before.created_at, request.before.id))
    order = (created_at.asc(), id.asc()) if request.backwards else (created_at.desc(), id.desc())
    return query.order_by(*order).limit(request.limit + 1)


def cut(found: Sequence[Row], request: PageRequest) -> Page[Row]:
    """The page that the rows of a `bounded` query make."""
    more, rows = len(found) > request.limit, found[: request.limit]
    if request.backwards:
        return Page(rows[::-1], has_next=request.before is not None, has_previous=more)
    return Page(rows, has_next=more, has_previous=request.after is not None)
