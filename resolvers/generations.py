"""Generations: read, asked for, stopped, repeated, deleted. Whoever changes one tells of it after the commit."""

from typing import Annotated

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry import UNSET

from db import generations, images, models
from db.errors import PictureError
from db.events import Changed
from db.generations import NewGeneration
from resolvers import checks
from resolvers.callers import person, require_caller, require_person
from resolvers.filters import generation_filter
from resolvers.ids import missing, require, row_id
from schema.arguments import After, Before, First, Id, Last
from schema.context import Info
from schema.enums import GenerationStatus
from schema.inputs import CreateGenerationInput, GenerationFilter
from schema.node import page_request
from schema.payloads import CreateGenerationPayload, DeletePayload, GenerationPayload
from schema.picture import Generation, GenerationConnection, Image
from tasks.queue import engine_queue

Filter = Annotated[GenerationFilter | None, strawberry.argument(description="Which of them.")]
Wanted = Annotated[CreateGenerationInput, strawberry.argument(description="What to make, and how.")]


async def generation(info: Info, id: Id) -> Generation | None:
    """One generation of the caller's, or null when there is none to see."""
    found = row_id(id, Generation)
    row = await info.context.loaders.generations.load(found) if found else None
    return Generation.of(row) if row else None


async def list_generations(
    info: Info,
    filter: Filter = UNSET,
    first: First = UNSET,
    after: After = UNSET,
    last: Last = UNSET,
    before: Before = UNSET,
) -> GenerationConnection:
    """A page of the caller's, newest first; empty for nobody."""
    db, claims, owner = info.context.db, info.context.claims, person(info)
    request = page_request(info.context.bounds, first, after, last, before)
    narrowed = generation_filter(filter or None)
    if owner is None:
        return GenerationConnection.empty()
    async with db.as_user(claims) as session:
        page = await generations.page(session, owner, request, narrowed)

    async def count() -> int:
        async with db.as_user(claims) as session:
            return await generations.count(session, owner, narrowed)

    return GenerationConnection.of(page, count)


async def create_generation(info: Info, input: Wanted) -> CreateGenerationPayload:
    """A QUEUED generation. Raises what is wrong with the input, naming the field; then nothing is written."""
    owner = require_person(info)
    key = checks.idempotency_key(input, info.context.bounds.idempotency_hours)
    async with info.context.db.as_user(info.context.claims) as session:
        try:
            new = await _checked(info, session, input)
        except PictureError:  # what was fine when the key made it stays made, should its source be gone since
            earlier = await generations.replay(session, owner, key) if key else None
            if earlier is None:
                raise
            changed = Changed(earlier)
        else:
            changed = await generations.create(session, owner, new, info.context.allowance, key=key)
            info.context.loaders.models.prime(new.model.id, new.model)  # it need not be read again to be shown
    await _tell(info, changed)
    return CreateGenerationPayload(generation=Generation.of(changed.row))


async def _checked(info: Info, session: AsyncSession, input: CreateGenerationInput) -> NewGeneration:
    model = await models.require(session, checks.model_reference(input.model), path=("input", "model"))
    source, id = None, checks.given(input.source_image_id)
    if id is not None:
        source = await images.get(session, require(id, Image, "input", "sourceImageId"))
        if source is None:
            raise missing(id, Image, "input", "sourceImageId")
    return checks.generation(input, model, source, info.context.bounds)


async def cancel_generation(info: Info, id: Id) -> GenerationPayload:
    """It is CANCELED at once or CANCELING; asked for twice it is returned."""
    require_caller(info)
    generation_id = require(id, Generation, "id")
    async with info.context.db.as_user(info.context.claims) as session:
        changed = await generations.cancel(session, generation_id)
    await _tell(info, changed)
    return GenerationPayload(generation=Generation.of(changed.row))


async def retry_generation(info: Info, id: Id) -> GenerationPayload:
    """A new generation like a FAILED or CANCELED one, or the retry of it that has not ended."""
    owner = require_person(info)
    generation_id = require(id, Generation, "id")
    async with info.context.db.as_user(info.context.claims) as session:
        changed = await generations.retry(session, owner, generation_id, info.context.allowance)
    await _tell(info, changed)
    return GenerationPayload(generation=Generation.of(changed.row))


async def delete_generation(info: Info, id: Id) -> DeletePayload:
    """It is gone; its images stay. One that runs is not deleted."""
    require_caller(info)
    generation_id = require(id, Generation, "id")
    async with info.context.db.as_user(info.context.claims) as session:
        changed = await generations.delete(session, generation_id)
    await _tell(info, changed)
    return DeletePayload(deleted_id=id)


async def _tell(info: Info, changed: Changed) -> None:
    """To who listens, and to the workers when there is work. Should we die before it, the sweep makes up for it."""
    if changed.events:
        await info.context.events.publish(changed)
        if changed.row.status == GenerationStatus.QUEUED:
            await info.context.queue.wake(engine_queue(changed.row.engine))
