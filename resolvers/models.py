"""The catalogue."""

from typing import Annotated

import strawberry

from db import models
from schema.context import Info
from schema.model import Model

IncludeInactive = Annotated[bool, strawberry.argument(description="Also those that are no longer offered.")]
Slug = Annotated[str, strawberry.argument(description='Such as "flux-schnell".')]


async def list_models(info: Info, include_inactive: IncludeInactive = False) -> list[Model]:
    """The models in their order."""
    async with info.context.db.as_user(info.context.claims) as session:
        rows = await models.page(session, include_inactive=include_inactive)
    return [Model.of(row) for row in rows]


async def model(info: Info, slug: Slug) -> Model | None:
    """The model of that name, or null."""
    if "\0" in slug:  # Postgres has no text with it, so no name either
        return None
    async with info.context.db.as_user(info.context.claims) as session:
        row = await models.get(session, slug)
    return Model.of(row) if row else None
