"""The public images of many people at once."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, true, values
from sqlalchemy import column as sql_column
from sqlalchemy.orm import aliased
from sqlalchemy.types import Uuid
from sqlmodel import col, select

from db import paging
from db.claims import Claims
from db.database import Database
from db.paging import Page, PageRequest
from db.tables import ImageRow

OwnerPage = tuple[UUID, PageRequest]


def _public() -> ColumnElement[bool]:
    return and_(col(ImageRow.is_public), col(ImageRow.archived_at).is_(None))


async def public_pages(db: Database, claims: Claims, pages: Sequence[OwnerPage]) -> list[Page[ImageRow]]:
    """A page of each owner, newest first: one statement for all that ask for the same part."""
    owners: defaultdict[PageRequest, set[UUID]] = defaultdict(set)
    for owner, request in pages:
        owners[request].add(owner)
    found: dict[OwnerPage, list[ImageRow]] = defaultdict(list)
    async with db.as_user(claims) as session:
        for request, ids in owners.items():
            asked = values(sql_column("owner", Uuid), name="asked").data([(id,) for id in ids])
            mine = select(ImageRow).where(col(ImageRow.user_id) == asked.c.owner, _public())
            inner = paging.bounded(mine, request, col(ImageRow.created_at), col(ImageRow.id)).lateral()
            image = aliased(ImageRow, inner)
            for row in await session.scalars(select(image).select_from(asked).join(inner, true())):
                found[row.user_id, request].append(row)
    for (_, request), rows in found.items():  # a join promises no order
        rows.sort(key=lambda row: (row.created_at, row.id), reverse=not request.backwards)
    return [paging.cut(found[page], page[1]) for page in pages]


async def public_counts(db: Database, claims: Claims, owners: Sequence[UUID]) -> list[int]:
    """How many images of each owner everybody may see."""
    counts = select(col(ImageRow.user_id), func.count()).where(col(ImageRow.user_id).in_(set(owners)), _public())
    async with db.as_user(claims) as session:
        found = dict((await session.execute(counts.group_by(col(ImageRow.user_id)))).all())
    return [found.get(owner, 0) for owner in owners]
