"""Batches: asked for, read, stopped, repeated, watched."""

from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import UNSET

from db import batches
from db.errors import BadRequestError, PictureError
from db.events import Changed
from db.idempotency import IdempotencyKey
from resolvers import asked, digests
from resolvers.callers import person, require_caller, require_person
from resolvers.ids import require, row_id
from resolvers.telling import tell
from schema.arguments import After, Before, First, Id, Last
from schema.batches import BatchConnection
from schema.context import Info
from schema.inputs import CreateBatchInput
from schema.node import page_request
from schema.payloads import BatchPayload
from schema.picture import Batch
from tasks.batches import follow

Wanted = Annotated[CreateBatchInput, strawberry.argument(description="What to make, and how.")]
Made = tuple[batches.Batch, list[Changed]]


async def batch(info: Info, id: Id) -> Batch | None:
    """One batch of the caller's, or null when there is none to see."""
    found = row_id(id, Batch)
    read = await info.context.loaders.batches.load(found) if found else None
    return Batch.of(read) if read else None


async def list_batches(
    info: Info, first: First = UNSET, after: After = UNSET, last: Last = UNSET, before: Before = UNSET
) -> BatchConnection:
    """A page of the caller's, newest first; empty for nobody."""
    db, claims, owner = info.context.db, info.context.claims, person(info)
    request = page_request(info.context.bounds, first, after, last, before)
    if owner is None:
        return BatchConnection.empty()
    async with db.as_user(claims) as session:
        page = await batches.page(session, owner, request)

    async def count() -> int:
        async with db.as_user(claims) as session:
            return await batches.count(session, owner)

    return BatchConnection.of(page, count)


async def create_batch(info: Info, input: Wanted) -> BatchPayload:
    """A batch of QUEUED generations, all or none. Raises what is wrong with the input, naming the field."""
    owner = require_person(info)
    key = digests.idempotency_key(input, info.context.bounds.idempotency_hours, "createBatch")
    return await _told(info, await asked.up_to_date(info, lambda: _create(info, input, owner, key)))


async def _create(info: Info, input: CreateBatchInput, owner: UUID, key: IdempotencyKey | None) -> Made:
    context = info.context
    try:
        name, news = asked.batch_name(input), await asked.batch(info, input)
    except PictureError:  # what was fine when the key made it stays made
        async with context.db.as_user(context.claims) as session:
            earlier = await batches.replay(session, owner, key) if key else None
        if earlier is None:
            raise
        return earlier, []
    async with context.db.as_user(context.claims) as session:
        return await batches.create(session, owner, name, news, context.allowance, key=key)


async def cancel_batch(info: Info, id: Id) -> BatchPayload:
    """All of it that has not ended is CANCELED at once or CANCELING; asked for twice it is returned."""
    require_caller(info)
    batch_id = require(id, Batch, "id")
    async with info.context.db.as_user(info.context.claims) as session:
        made = await batches.cancel(session, batch_id)
    return await _told(info, made)


async def retry_batch(info: Info, id: Id) -> BatchPayload:
    """New generations in the places of those that failed or were canceled, against the limits as one."""
    owner = require_person(info)
    batch_id = require(id, Batch, "id")

    async def retry() -> Made:
        async with info.context.db.as_user(info.context.claims) as session:
            return await batches.retry(session, owner, batch_id, info.context.allowance)

    return await _told(info, await asked.up_to_date(info, retry))


async def batch_updated(info: Info, id: Id) -> AsyncGenerator[Batch, None]:
    """The batch as it is now, and again with each change. Raises BadRequestError when there is none to see."""
    require_person(info)
    batch_id = row_id(id, Batch)
    if batch_id is None:
        raise BadRequestError("There is no such batch.", path=("id",))
    context = info.context
    stream = _updates(follow(context.hub, context.db, context.claims, batch_id))
    await anext(stream)  # it has begun: what is wrong is said before, and it is closed even if nobody ever asks it
    return stream  # type: ignore[return-value]  # the only None is behind us


async def _updates(followed: AsyncGenerator[batches.Batch | None, None]) -> AsyncGenerator[Batch | None, None]:
    try:
        async for read in followed:
            yield Batch.of(read) if read else None
    finally:
        await followed.aclose()


async def _told(info: Info, made: Made) -> BatchPayload:
    read, changed = made
    await tell(info, changed)
    return BatchPayload(batch=Batch.of(read))
