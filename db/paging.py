"""Keyset pages: a cursor is a place in an order, so a page costs the same wherever it begins."""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Self, TypeVar
from uuid import UUID

from sqlalchemy import Select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from db.errors import BadRequestError

Row = TypeVar("Row")

DEFAULT_PAGE_COUNT = 20
MAX_PAGE_COUNT = 100
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # from which Postgres counts


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows of an order by (created_at, id)."""

    created_at: datetime
    id: UUID

    def encode(self) -> str:
        """Opaque to clients."""
        since = (self.created_at - EPOCH) // timedelta(microseconds=1)
        return base64.b64encode(struct.pack(">q", since) + self.id.bytes).decode()

    @classmethod
    def parse(cls, text: str, *, name: str) -> Self:
        """The cursor that `encode` wrote. Raises BadRequestError naming the argument."""
        try:
            since, id = struct.unpack(">q16s", base64.b64decode(text, validate=True))
            return cls(EPOCH + timedelta(microseconds=since), UUID(bytes=id))
        except (ValueError, OverflowError, struct.error) as error:
            raise BadRequestError(f"`{name}` is not a cursor of this list.", path=(name,)) from error


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
            after=Cursor.parse(after, name="after") if after is not None else None,
            before=Cursor.parse(before, name="before") if before is not None else None,
        )


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows in the list's order, and whether there are more on either side."""

    rows: Sequence[Row]
    has_next: bool
    has_previous: bool


async def fetch(
    session: AsyncSession,
    query: Select[Row],
    request: PageRequest,
    created_at: Mapped[datetime],
    id: Mapped[UUID],
    *,
    oldest_first: bool = False,
) -> Page[Row]:
    """One page of `query` by (created_at, id), newest first unless said: one statement."""
    query = bounded(query, request, created_at, id, oldest_first=oldest_first)
    return cut((await session.scalars(query)).all(), request)


def bounded(
    query: Select[Row],
    request: PageRequest,
    created_at: Mapped[datetime],
    id: Mapped[UUID],
    *,
    oldest_first: bool = False,
) -> Select[Row]:
    """`query` between the cursors, from the end asked for, and one row more than asked for."""
    keys = tuple_(created_at, id)
    for cursor, is_after in ((request.after, True), (request.before, False)):
        if cursor:
            place = tuple_(cursor.created_at, cursor.id)
            query = query.where(keys > place if is_after == oldest_first else keys < place)
    ascending = oldest_first != request.backwards
    order = (created_at.asc(), id.asc()) if ascending else (created_at.desc(), id.desc())
    return query.order_by(*order).limit(request.limit + 1)


def cut(found: Sequence[Row], request: PageRequest) -> Page[Row]:
    """The page that the rows of a `bounded` query make."""
    more, rows = len(found) > request.limit, found[: request.limit]
    if request.backwards:
        return Page(rows[::-1], has_next=request.before is not None, has_previous=more)
    return Page(rows, has_next=more, has_previous=request.after is not None)
