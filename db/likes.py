"""Likes: one row a person and image, and a count that the image's row keeps."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.claims import Claims
from db.database import Database

LIKED = text("""
    select image_id from image_likes
    where user_id = (select picture.viewer_id()) and image_id = any(cast(:ids as uuid[]))
""")


SET = text("select picture.set_like(:image_id, :liked)")


async def change(session: AsyncSession, image_id: UUID, *, liked: bool) -> bool:
    """Whether the caller likes it, from now on; again changes nothing. False when they see no such image."""
    return bool(await session.scalar(SET, {"image_id": image_id, "liked": liked}))


async def liked(db: Database, claims: Claims, ids: Sequence[UUID]) -> list[bool]:
    """Whether the caller likes each image."""
    if claims.sub is None:
        return [False] * len(ids)
    async with db.as_user(claims) as session:
        found = set((await session.scalars(LIKED, {"ids": list(set(ids))})).all())
    return [id in found for id in ids]
