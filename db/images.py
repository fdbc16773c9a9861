"""Images: changed by their owner, deleted with tombstones for their objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from db.errors import InvalidInputError, NotFoundError
from db.tables import ImageRow


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
        and not (i.hidden_at is not null and cast(:is_public as boolean) is true)
    returning i.id
""")
IS_HIDDEN = text("select hidden_at is not null from images where id = :id and user_id = picture.viewer_id()")


async def update(session: AsyncSession, id: UUID, changes: ImageChanges) -> ImageRow:
    """The viewer's own image, its marks changed. Raises NotFoundError, InvalidInputError to publish a hidden one."""
    values = {name: getattr(changes, name) for name in ImageChanges.__slots__}
    changed = await session.scalar(UPDATE, {**values, "id": id})
    if changed is None and await session.scalar(IS_HIDDEN, {"id": id}):
        raise InvalidInputError(
            "An operator has hidden this image.", path=("input", "isPublic"), code="BLOCKED_CONTENT"
        )
    if changed is None:
        raise NotFoundError("There is no such image.", path=("input", "id"), missing_id=id)
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
        raise NotFoundError("There is no such image.", path=("id",), missing_id=id)


PUBLISHED = text("""
    select id, storage_path, small_path, medium_path, format, prompt, publication_id, created_at from images
    where publication_id = :publication_id and is_public and archived_at is null and hidden_at is null
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
