"""Reports of images, and what an operator decides: each decision is said in the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from db import audit
from db.errors import NotFoundError
from db.tables import ImageRow

# The policy of `images` decides what may be reported; a second report of the same person changes nothing.
ADD = text("""
    insert into reports (image_id, user_id, reason)
    select id, picture.viewer_id(), :reason from images where id = :image_id
    on conflict do nothing
""")


async def add(session: AsyncSession, image_id: UUID, reason: str) -> ImageRow:
    """Have the operator look at an image that the caller sees. Raises NotFoundError."""
    await session.execute(ADD, {"image_id": image_id, "reason": reason})
    row = (await session.scalars(select(ImageRow).where(col(ImageRow.id) == image_id))).one_or_none()
    if row is None:
        raise NotFoundError("There is no such image.", path=("id",), missing_id=image_id)
    return row


@dataclass(frozen=True, slots=True)
class Report:
    """One that waits for a decision, with what there is to decide by."""

    id: UUID
    image_id: UUID
    reason: str
    reporter: str
    owner: str
    prompt: str | None
    created_at: datetime


OPEN = text("""
    select r.id, r.image_id, r.reason, coalesce(by.username, by.id::text), coalesce(owner.username, owner.id::text),
        i.prompt, r.created_at
    from reports r join images i on i.id = r.image_id
    join profiles by on by.id = r.user_id join profiles owner on owner.id = i.user_id
    where r.decision is null order by r.created_at, r.id limit :limit
""")
DISMISS = text("""
    update reports set decision = 'dismissed', decided_at = now() where id = :id and decision is null
    returning image_id
""")
# Its open reports are decided with it. What was withdrawn is published anew: the old address stays withdrawn.
HIDE = text("""
    with hidden as (
        update images set hidden_at = now(), updated_at = now() where id = :id and hidden_at is null returning id
    ), decided as (
        update reports r set decision = 'hidden', decided_at = now() from hidden
        where r.image_id = hidden.id and r.decision is null
    )
    select id from hidden
""")
SHOW = text("""
    with shown as (
        update images set hidden_at = null, updated_at = now(),
            publication_id = case when is_public then gen_random_uuid() end
        where id = :id and hidden_at is not null returning id
    ), decided as (
        update reports r set decision = 'dismissed', decided_at = now() from shown
        where r.image_id = shown.id and r.decision = 'hidden'
    )
    select id from shown
""")


async def open_ones(session: AsyncSession, limit: int = 100) -> Sequence[Report]:
    """Those that wait for a decision, oldest first."""
    return [Report(*row) for row in await session.execute(OPEN, {"limit": limit})]


async def dismiss(session: AsyncSession, entry: audit.Entry) -> None:
    """Decide that nothing is wrong. Raises NotFoundError when it is not there or decided already."""
    image_id = await session.scalar(DISMISS, {"id": entry.target})
    if image_id is None:
        raise NotFoundError(f"There is no open report {entry.target}.")
    await audit.add(session, entry, {"image": str(image_id)})


async def hide(session: AsyncSession, entry: audit.Entry) -> None:
    """The image is gone for all but its owner. Raises NotFoundError when it is not there or hidden already."""
    if await session.scalar(HIDE, {"id": entry.target}) is None:
        raise NotFoundError(f"There is no image {entry.target} to hide.")
    await audit.add(session, entry)


async def show(session: AsyncSession, entry: audit.Entry) -> None:
    """Undo `hide`. Raises NotFoundError when it is not there or not hidden."""
    if await session.scalar(SHOW, {"id": entry.target}) is None:
        raise NotFoundError(f"There is no hidden image {entry.target}.")
    await audit.add(session, entry)
