"""Images that somebody wants the operator to look at."""

from typing import Annotated

import strawberry

from db import reports
from resolvers import texts
from resolvers.callers import require_person
from resolvers.ids import require
from schema.arguments import Id
from schema.context import Info
from schema.payloads import ImagePayload
from schema.picture import Image

Reason = Annotated[str, strawberry.argument(description="What is wrong with it, in at most 1,000 characters.")]


async def report_image(info: Info, id: Id, reason: Reason) -> ImagePayload:
    """The image as it is. Raises NotFoundError when the caller does not see it."""
    require_person(info)
    said = texts.reason(reason)
    image_id = require(id, Image, "id")
    async with info.context.db.as_user(info.context.claims) as session:
        row = await reports.add(session, image_id, said)
    return ImagePayload(image=Image.of(row))
