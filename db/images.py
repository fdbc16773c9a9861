"""Images: found by pages, changed by their owner, deleted with tombstones for their objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar
from uuid import UUID

from sqlalchemy import Select, func, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from db import paging
from db.errors import NotFoundError
from db.tables import ImageRow

Row = TypeVar("Row")
Scope = Literal["MINE", "PUBLIC"]
Order = Literal["NEWEST", "OLDEST"]


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """Which images; what is None does not narrow. The marks mean the viewer's own images."""

    model_id: UUID | None = None
    owner_id: UUID | None = None
    is_favorite: bool | None = None
    min_rating: int | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ImageChanges:
    """What an update sets; an absent one stays. `rating` None with `has_rating` clears it."""

    is_public: bool | None = None
    is_favorite: bool | None = None
    archived: bool | None = None
    has_rating: bool = False
    rating: int | None = None


@dataclass(frozen=True, slots=True)
class StoredImage:
    """Where a picture's bytes lie."""

    id: UUID
    storage_path: str | None
    small_path: str | None
    medium_path: str | None
    format: str
    prompt: str | None
    publication_id: UUID | None
    created_at: datetime


async def get(session: AsyncSession, id: UUID) -> ImageRow | None:
    """One image that the session may see."""
    return (await session.scalars(select(ImageRow).where(col(ImageRow.id) == id))).one_or_none()


async def page(
    session: AsyncSession,
    viewer: UUID | None,
    scope: Scope,
    request: paging.PageRequest,
    filter: ImageFilter,
    order: Order = "NEWEST",
) -> paging.Page[ImageRow]:
    """MINE: the viewer's own, not archived. PUBLIC: everybody's public ones."""
    query = _narrow(select(ImageRow), viewer, scope, filter)
    created_at, id = col(ImageRow.created_at), col(ImageRow.id)
    return await paging.fetch(session, query, request, created_at, id, oldest_first=order == "OLDEST")


async def count(session: AsyncSession, viewer: UUID | None, scope: Scope, filter: ImageFilter) -> int:
    """How many `page` would go through."""
    query = _narrow(select(func.count()).select_from(ImageRow), viewer, scope, filter)
    return await session.scalar(query) or 0


def _narrow(query: Select[Row], viewer: UUID | None, scope: Scope, filter: ImageFilter) -> Select[Row]:
    query = query.where(col(ImageRow.archived_at).is_(None))
    query = query.where(col(ImageRow.is_public) if scope == "PUBLIC" else col(ImageRow.user_id) == viewer)
    if filter.is_favorite is not None or filter.min_rating is not None:
        query = query.where(col(ImageRow.user_id) == viewer)
    if filter.is_favorite is not None:
        query = query.where(col(ImageRow.is_favorite) == filter.is_favorite)
    if filter.min_rating is not None:
        query = query.where(col(ImageRow.rating) >= filter.min_rating)
    if filter.model_id:
        query = query.where(col(ImageRow.model_id) == filter.model_id)
    if filter.owner_id:
        query = query.where(col(ImageRow.user_id) == filter.owner_id)
    if filter.created_after:
        query = query.where(col(ImageRow.created_at) > filter.created_after)
    if filter.created_before:
        query = query.where(col(ImageRow.created_at) < filter.created_before)
    return query


# A new publication each time that everybody begins to see it: an address that was withdrawn stays so.
UPDATE = text("""
    update images i set
        is_public = n.is_public,
        is_favorite = coalesce(cast(:is_favorite as boolean), i.is_favorite),
        rating = case when :has_rating then cast(:rating as int) else i.rating end,
        archived_at = case when n.is_archived then coalesce(i.archived_at, now()) end,
        publication_id = case
            when not n.is_public then null
            when not i.is_public or (i.archived_at is not null and not n.is_archived) then gen_random_uuid()
            else i.publication_id end,
        updated_at = now()
    from (
        select id, coalesce(cast(:is_public as boolean), is_public) as is_public,
            coalesce(cast(:archived as boolean), archived_at is not null) as is_archived
        from images where id = :id for update
    ) n
    where i.id = n.id and i.user_id = picture.viewer_id()
    returning i.id
""")


async def update(session: AsyncSession, id: UUID, changes: ImageChanges) -> ImageRow:
    """The viewer's own image with its marks changed. Raises NotFoundError."""
    values = {name: getattr(changes, name) for name in ImageChanges.__slots__}
    if await session.scalar(UPDATE, {**values, "id": id}) is None:
        raise NotFoundError("There is no such image of yours.", path=("input", "id"), missing_id=id)
    return (await session.scalars(select(ImageRow).where(col(ImageRow.id) == id))).one()


DELETE = text("""
    with gone as (
        delete from images where id = :id and user_id = picture.viewer_id() returning *
    ), freed as (
        update user_rate_limits l set storage_bytes_used = greatest(l.storage_bytes_used - gone.file_size, 0)
        from gone where l.user_id = gone.user_id
    ), marked as (
        update objects o set state = 'deleted', updated_at = now()
        from gone where o.key in (gone.storage_path, gone.small_path, gone.medium_path)
    )
    select id from gone
""")


async def delete(session: AsyncSession, id: UUID) -> None:
    """The row at once; its objects are left marked for removal. Raises NotFoundError.

    What was never announced is not ours to remove: the pictures of an older deployment lie where others' may.
    """
    if await session.scalar(DELETE, {"id": id}) is None:
        raise NotFoundError("There is no such image of yours.", path=("id",), missing_id=id)


PUBLISHED = text("""
    select id, storage_path, small_path, medium_path, format, prompt, publication_id, created_at from images
    where publication_id = :publication_id and is_public and archived_at is null
""")
STORED = text("select * from picture.stored_image(:id)")


async def published(session: AsyncSession, publication_id: UUID) -> StoredImage | None:
    """The image behind a public address; None as soon as it is private, archived or gone."""
    row = (await session.execute(PUBLISHED, {"publication_id": publication_id})).one_or_none()
    return StoredImage(*row) if row else None


async def owned_object(session: AsyncSession, id: UUID) -> StoredImage | None:
    """The image behind a private address; ask only when its signature has been verified."""
    row = (await session.execute(STORED, {"id": id})).one_or_none()
    return StoredImage(*row) if row else None


async def of_generations(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[ImageRow]:
    """The images of these generations, by index."""
    query = select(ImageRow).where(col(ImageRow.generation_id).in_(ids)).order_by(col(ImageRow.image_index))
    return (await session.scalars(query)).all()
