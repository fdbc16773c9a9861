"""Images: read, changed, deleted."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from db import images
from db.galleries import Gallery
from db.narrowing import Scope as DbScope
from db.paging import Order as DbOrder
from resolvers import checks
from resolvers.callers import require_caller
from resolvers.filters import image_filter
from resolvers.ids import require, row_id
from schema.arguments import After, Before, First, Id, Last
from schema.context import Info
from schema.enums import ImageOrder, ImageScope
from schema.inputs import ImageFilter, UpdateImageInput
from schema.node import page_request
from schema.payloads import DeletePayload, ImagePayload
from schema.picture import Image, ImageConnection
from tasks import publications
from tasks.queue import UPKEEP

Scope = Annotated[ImageScope, strawberry.argument(description="Whose.")]
Filter = Annotated[ImageFilter | None, strawberry.argument(description="Which of them.")]
Order = Annotated[ImageOrder, strawberry.argument(description="In which order.")]
Changes = Annotated[UpdateImageInput, strawberry.argument(description="What to change.")]

SCOPES: dict[ImageScope, DbScope] = {
    ImageScope.MINE: "MINE",
    ImageScope.PUBLIC: "PUBLIC",
    ImageScope.ARCHIVED: "ARCHIVED",
    ImageScope.LIKED: "LIKED",
}
ORDERS: dict[ImageOrder, DbOrder] = {
    ImageOrder.NEWEST: "NEWEST",
    ImageOrder.OLDEST: "OLDEST",
    ImageOrder.MOST_LIKED: "MOST_LIKED",
}


async def image(info: Info, id: Id) -> Image | None:
    """One image that the caller may see, or null."""
    found = row_id(id, Image)
    row = await info.context.loaders.images.load(found) if found else None
    return Image.of(row) if row else None


async def list_images(
    info: Info,
    scope: Scope = ImageScope.MINE,
    filter: Filter = UNSET,
    order: Order = ImageOrder.NEWEST,
    first: First = UNSET,
    after: After = UNSET,
    last: Last = UNSET,
    before: Before = UNSET,
) -> ImageConnection:
    """A page of the scope; all but PUBLIC are empty for nobody."""
    context = info.context
    request = page_request(context.bounds, first, after, last, before, order=ORDERS[order])
    narrowed = image_filter(filter or None)
    if scope is not ImageScope.PUBLIC and context.claims.sub is None:
        return ImageConnection.empty()
    gallery = Gallery(context.db, context.claims, context.counts, SCOPES[scope], narrowed)
    return ImageConnection.of(await gallery.page(request, ORDERS[order]), gallery.count, ORDERS[order])


async def update_image(info: Info, input: Changes) -> ImagePayload:
    """The image as it is now. Raises what is wrong with the input; then nothing is written."""
    require_caller(info)
    changes = checks.image_changes(input)
    image_id = require(input.id, Image, "input", "id")
    async with info.context.db.as_user(info.context.claims) as session:
        row = await images.update(session, image_id, changes)
    if row.is_shown and (changes.is_public or changes.archived is False):
        await publications.announce(info.context.events, row.id)
    info.context.loaders.forget()
    return ImagePayload(image=Image.of(row))


async def delete_image(info: Info, id: Id) -> DeletePayload:
    """The rows at once, the objects in storage right after."""
    require_caller(info)
    image_id = require(id, Image, "id")
    async with info.context.db.as_user(info.context.claims) as session:
        await images.delete(session, image_id)
    info.context.loaders.forget()
    await info.context.queue.wake(UPKEEP)
    return DeletePayload(deleted_id=id)
