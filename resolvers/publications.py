"""New public images, as they appear."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry
from strawberry import UNSET

from resolvers import tagging
from resolvers.sending import Sender
from schema.context import Info
from schema.picture import Image

Tags = Annotated[list[str] | None, strawberry.argument(description="Only those that carry all of these.")]


async def image_published(info: Info, tags: Tags = UNSET) -> AsyncGenerator[Image, None]:
    """For everybody, for as long as they listen; nothing is replayed."""
    sender = Sender(info)
    async with info.context.publications.listen(tagging.wanted(tags or ())) as reader:
        while True:
            publication = await reader.next()
            image = Image.of(publication.row)
            told = await sender.send(lambda _, image=image: image, publication.shared)  # type: ignore[misc]
            if told is None:
                yield image
            elif not told:
                return
