"""Anything by its global id."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import strawberry

from db.errors import BadRequestError
from resolvers.ids import parse
from schema.arguments import Id
from schema.context import Info, Loaders
from schema.model import Model
from schema.node import Node
from schema.picture import Batch, Generation, Image, Profile
from schema.tag import Tag
from schema.template import PromptTemplate
from schema.upload import Upload

Ids = Annotated[list[strawberry.ID], strawberry.argument(description="Global ids; 100 at most.")]

# Type's name → how its rows are loaded, and what is made of one.
NODES: dict[str, tuple[Callable[[Loaders, UUID], Awaitable[Any]], Callable[[Any], Node]]] = {
    "Batch": (lambda loaders, id: loaders.batches.load(id), Batch.of),
    "Generation": (lambda loaders, id: loaders.generations.load(id), Generation.of),
    "Image": (lambda loaders, id: loaders.images.load(id), Image.of),
    "Model": (lambda loaders, id: loaders.models.load(id), Model.of),
    "Tag": (lambda loaders, id: loaders.tags.load(id), Tag.of),
    "Upload": (lambda loaders, id: loaders.uploads.load(id), Upload.of),
    "Profile": (lambda loaders, id: loaders.profiles.load(id), Profile.of),
    "PromptTemplate": (lambda loaders, id: loaders.templates.load(id), PromptTemplate.of),
}


async def node(info: Info, id: Id) -> Node | None:
    """What has this id, or null when there is nothing to see."""
    name, row_id = parse(id) or ("", None)
    if row_id is None or name not in NODES:
        return None
    load, of = NODES[name]
    row = await load(info.context.loaders, row_id)
    return of(row) if row else None


async def nodes(info: Info, ids: Ids) -> list[Node | None]:
    """Each in the order of the ids; null where there is nothing to see."""
    most = info.context.bounds.page_max
    if len(ids) > most:
        raise BadRequestError(f"`ids` holds more than {most}.", path=("ids",))
    return list(await asyncio.gather(*(node(info, id) for id in ids)))
