"""Generations: read, asked for, stopped, repeated, deleted. Whoever changes one tells of it after the commit."""

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import UNSET

from db import generations, submissions
from db.errors import PictureError
from db.events import Changed
from db.idempotency import IdempotencyKey
from db.tables import GenerationRow
from resolvers import asked, digests
from resolvers.callers import person, require_caller, require_person
from resolvers.filters import generation_filter
from resolvers.ids import require, row_id
from resolvers.telling import tell
from schema.arguments import After, Before, First, Id, Last
from schema.context import Info
from schema.inputs import CreateGenerationInput, GenerationFilter
from schema.node import page_request
from schema.payloads import CreateGenerationPayload, DeletePayload, GenerationPayload
from schema.picture import Generation, GenerationConnection

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
    key = digests.idempotency_key(input, info.context.bounds.idempotency_hours)
    changed = await asked.up_to_date(info, lambda: _create(info, input, owner, key))
    await tell(info, [changed])
    return CreateGenerationPayload(generation=Generation.of(changed.row))


async def _create(info: Info, input: CreateGenerationInput, owner: UUID, key: IdempotencyKey | None) -> Changed:
    context = info.context
    try:
        new = await asked.generation(info, input)
    except PictureError:  # what was fine when the key made it stays made, should its source be gone since
        earlier = await _replay(info, owner, key) if key else None
        if earlier is None:
            raise
        return Changed(earlier)
    if key is None and not new.reuse:
        return await submissions.at_once(context.db, context.claims, owner, new, context.allowance)
    async with context.db.as_user(context.claims) as session:
        return await generations.create(session, owner, new, context.allowance, key=key)


async def _replay(info: Info, owner: UUID, key: IdempotencyKey) -> GenerationRow | None:
    async with info.context.db.as_user(info.context.claims) as session:
        return await generations.replay(session, owner, key)


async def cancel_generation(info: Info, id: Id) -> GenerationPayload:
    """It is CANCELED at once or CANCELING; asked for twice it is returned."""
    require_caller(info)
    generation_id = require(id, Generation, "id")
    async with info.context.db.as_user(info.context.claims) as session:
        changed = await generations.cancel(session, generation_id)
    await tell(info, [changed])
    return GenerationPayload(generation=Generation.of(changed.row))


async def retry_generation(info: Info, id: Id) -> GenerationPayload:
    """A new generation like a FAILED or CANCELED one, or the retry of it that has not ended."""
    owner = require_person(info)
    generation_id = require(id, Generation, "id")

    async def retry() -> Changed:
        async with info.context.db.as_user(info.context.claims) as session:
            return await generations.retry(session, owner, generation_id, info.context.allowance)

    changed = await asked.up_to_date(info, retry)
    await tell(info, [changed])
    return GenerationPayload(generation=Generation.of(changed.row))


async def delete_generation(info: Info, id: Id) -> DeletePayload:
    """It is gone; its images stay. One that runs is not deleted."""
    require_caller(info)
    generation_id = require(id, Generation, "id")
    async with info.context.db.as_user(info.context.claims) as session:
        changed = await generations.delete(session, generation_id)
    await tell(info, [changed])
    return DeletePayload(deleted_id=id)
