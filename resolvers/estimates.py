"""What createGeneration would do, without doing it."""

import math
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from db import creating, idempotency, limits, queue
from db.errors import PictureError
from db.idempotency import IdempotencyKey
from db.queue import Place
from db.request import NewGeneration
from db.submissions import StaleModelError
from resolvers import asked, digests
from resolvers.callers import require_person
from resolvers.errors import as_data
from schema.context import Info
from schema.enums import HeldReason
from schema.estimated import GenerationEstimate
from schema.inputs import CreateGenerationInput

Wanted = Annotated[CreateGenerationInput, strawberry.argument(description="As createGeneration takes it.")]


async def generation_estimate(info: Info, input: Wanted) -> GenerationEstimate:
    """What would come of the input now; what is wrong with it stands in `errors`."""
    owner = require_person(info)
    return await asked.up_to_date(info, lambda: _estimated(info, input, owner))


async def _estimated(info: Info, input: CreateGenerationInput, owner: UUID) -> GenerationEstimate:
    try:
        key = digests.idempotency_key(input, info.context.bounds.idempotency_hours)
        new = await asked.generation(info, input)
        async with info.context.db.as_user(info.context.claims) as session:
            return await _estimate(info, session, owner, new, key)
    except StaleModelError:
        raise
    except PictureError as error:
        return GenerationEstimate(errors=[as_data(error, {"input": input})])


async def _estimate(
    info: Info, session: AsyncSession, owner: UUID, new: NewGeneration, key: IdempotencyKey | None
) -> GenerationEstimate:
    sized = GenerationEstimate(width=new.width, height=new.height)
    is_made = key and await idempotency.made(session, owner, key)
    if is_made or await creating.reusable(session, owner, new):
        sized.cost, sized.eta_seconds, sized.eta_seconds_p90 = Decimal(0), 0, 0
        return sized
    per_image = new.model.cost_per_image
    sized.cost = None if per_image is None else per_image * new.image_count
    used = await limits.usage(session, owner)
    if not limits.allows(used, info.context.allowance):
        sized.errors = [as_data(limits.refusal(used, info.context.allowance), {})]
        return sized
    place = await queue.prospect(session, new.model.id, new.expected_seconds, info.context.rules)
    sized.queue_position = place.position
    sized.held_reason = HeldReason(place.held_reason) if place.held_reason else None
    sized.eta_seconds = place.eta_seconds
    sized.eta_seconds_p90 = _late(place, new)
    return sized


def _late(place: Place, new: NewGeneration) -> float | None:
    """When nine in ten have completed: what one takes longer then, and those before it as independent of each other."""
    spread = new.model.spread
    if place.eta_seconds is None or place.position is None or spread is None:
        return None
    return place.eta_seconds + new.expected_seconds * (spread - 1) * math.sqrt(place.position)
