"""Likes: one row a person and image, and a count that the image's row keeps."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db import neighbours

# Whether the caller likes each image.
LIKED = neighbours.value(
    """select row(image_id, true) from image_likes
    where user_id = (select picture.viewer_id()) and image_id = any ({keys}::uuid[])""",
    False,
)
SET = text("select picture.set_like(:image_id, :liked)")


async def change(session: AsyncSession, image_id: UUID, *, liked: bool) -> bool:
    """Whether the caller likes it, from now on; again changes nothing. False when they see no such image."""
    return bool(await session.scalar(SET, {"image_id": image_id, "liked": liked}))
