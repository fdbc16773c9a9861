"""Tags: listed, put on images and taken off, given a colour."""

import re
from typing import Annotated

import strawberry
from strawberry import UNSET

from db import images, tags
from db.errors import BadRequestError, InvalidInputError
from resolvers import tagging
from resolvers.callers import require_caller
from resolvers.ids import require
from schema.arguments import Id
from schema.context import Info
from schema.payloads import ImagePayload, TagPayload
from schema.picture import Image
from schema.tag import Tag

COLOR = re.compile(r"#[0-9A-Fa-f]{6}")

Search = Annotated[str | None, strawberry.argument(description="Only those whose name contains this.")]
Most = Annotated[int, strawberry.argument(description="At most so many, 1 to 100.")]
ImageId = Annotated[strawberry.ID, strawberry.argument(description="The image's global id; one of the caller's own.")]
Names = Annotated[
    list[str],
    strawberry.argument(
        description="1 to 50 characters each, without control characters; case and blanks around them do not count. "
        "An image carries at most 30."
    ),
]
Color = Annotated[str | None, strawberry.argument(description="#RRGGBB; null for none.")]


async def list_tags(info: Info, search: Search = UNSET, first: Most = 50) -> list[Tag]:
    """What is on images that the caller may see, and what the caller has made; most used first."""
    most = info.context.bounds.page_max
    if not 1 <= first <= most:
        raise BadRequestError(f"`first` must be between 1 and {most}.", path=("first",))
    async with info.context.db.as_user(info.context.claims) as session:
        rows = await tags.page(session, tagging.part(search or ""), first)
    return [Tag.of(row) for row in rows]


async def add_tags(info: Info, image_id: ImageId, names: Names) -> ImagePayload:
    """The image with these tags, too; again changes nothing. Raises what is wrong; then nothing is written."""
    require_caller(info)
    normal = tagging.normalise(names, "names")
    row_id = require(image_id, Image, "imageId")
    async with info.context.db.as_user(info.context.claims) as session:
        if not await tags.add(session, row_id, normal, most=tagging.MAX_TAGS):
            message = f"An image carries at most {tagging.MAX_TAGS} tags."
            raise InvalidInputError(message, path=("names",), code="TOO_LARGE")
        row = await images.get(session, row_id)
    info.context.loaders.forget()
    return ImagePayload(image=Image.of(row) if row else None)


async def remove_tags(info: Info, image_id: ImageId, names: Names) -> ImagePayload:
    """The image without these tags; those that it does not carry are passed over."""
    require_caller(info)
    row_id = require(image_id, Image, "imageId")
    async with info.context.db.as_user(info.context.claims) as session:
        await tags.remove(session, row_id, tagging.wanted(names))
        row = await images.get(session, row_id)
    info.context.loaders.forget()
    return ImagePayload(image=Image.of(row) if row else None)


async def update_tag(info: Info, id: Id, color: Color = UNSET) -> TagPayload:
    """The tag as it is now. Raises ForbiddenError when somebody else has made it."""
    require_caller(info)
    if color is not UNSET and color is not None and not COLOR.fullmatch(color):
        raise InvalidInputError("A color is a # and six hexadecimal digits.", path=("color",))
    row_id = require(id, Tag, "id")
    async with info.context.db.as_user(info.context.claims) as session:
        row = await tags.paint(session, row_id, color if color is not UNSET else None, is_given=color is not UNSET)
    info.context.loaders.forget()
    return TagPayload(tag=Tag.of(row))
