"""Likes."""

from uuid import UUID

from db import images, likes
from resolvers.callers import require_person
from resolvers.ids import missing, require
from schema.arguments import Id
from schema.context import Info
from schema.payloads import ImagePayload
from schema.picture import Image


async def like_image(info: Info, id: Id) -> ImagePayload:
    """The image, liked by the caller; again changes nothing. Raises NotFoundError."""
    return await _set(info, id, liked=True)


async def unlike_image(info: Info, id: Id) -> ImagePayload:
    """The image, not liked by the caller; again changes nothing. Raises NotFoundError."""
    return await _set(info, id, liked=False)


async def _set(info: Info, id: Id, *, liked: bool) -> ImagePayload:
    require_person(info)
    image_id: UUID = require(id, Image, "id")
    async with info.context.db.as_user(info.context.claims) as session:
        is_seen = await likes.change(session, image_id, liked=liked)
        row = await images.get(session, image_id) if is_seen else None
    if row is None:
        raise missing(id, Image, "id")
    info.context.loaders.forget()
    return ImagePayload(image=Image.of(row))
