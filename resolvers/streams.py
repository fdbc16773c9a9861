"""Subscriptions: attached first, then read, then told only what is newer; each ends, and closes what it opened."""

from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from db.enums import EventKind
from db.errors import BadRequestError
from resolvers.callers import require_person
from resolvers.ids import row_id
from resolvers.sending import Sender
from schema.arguments import Id
from schema.context import Info
from schema.enums import HeldReason
from schema.events import (
    GenerationCanceled,
    GenerationCanceling,
    GenerationCompleted,
    GenerationEvent,
    GenerationFailed,
    GenerationPreviewed,
    GenerationProgressed,
    GenerationQueued,
    GenerationQueueMoved,
    GenerationSnapshot,
    GenerationStarted,
)
from schema.failure import GenerationFailure
from schema.picture import Generation
from tasks.follow import Told, follow
from tasks.listener import Wish
from tasks.news import Change, Moved, Preview, Progress, Snapshot

Resume = Annotated[str | None, strawberry.argument(description="The last cursor that the client saw.")]
WithProgress = Annotated[bool, strawberry.argument(description="Also GenerationProgressed and GenerationQueueMoved.")]
WithPreviews = Annotated[bool, strawberry.argument(description="Also GenerationPreviewed.")]
Stream = AsyncGenerator[GenerationEvent, None]

CHANGES: dict[EventKind, type[GenerationEvent]] = {
    EventKind.QUEUED: GenerationQueued,
    EventKind.STARTED: GenerationStarted,
    EventKind.CANCELING: GenerationCanceling,
    EventKind.COMPLETED: GenerationCompleted,
    EventKind.CANCELED: GenerationCanceled,
}


async def generation_events(
    info: Info, id: Id, after: Resume = UNSET, progress: WithProgress = True, previews: WithPreviews = False
) -> Stream:
    """One generation, to its end. Raises BadRequestError when there is none to see."""
    require_person(info)
    generation_id = row_id(id, Generation)
    if generation_id is None:
        raise BadRequestError("There is no such generation.", path=("id",))
    return await _begun(info, Wish(generation_id, progress, previews), after)


async def my_generation_events(
    info: Info, after: Resume = UNSET, progress: WithProgress = True, previews: WithPreviews = False
) -> Stream:
    """All of the caller's, for as long as the client listens."""
    require_person(info)
    return await _begun(info, Wish(None, progress, previews), after)


async def _begun(info: Info, wish: Wish, after: str | None) -> Stream:
    """A stream that is attached and has read: what is wrong is said before it begins.

    It has begun, so that it is closed, and detached, even if nobody ever asks it for an event.
    """
    context, sender = info.context, Sender(info)
    tell_now = partial(_is_told_now, sender)
    stream = _events(follow(context.hub, context.db, context.claims, wish, after or None, tell_now), sender)
    await anext(stream)
    return stream  # type: ignore[return-value]  # the only None is behind us


async def _events(
    followed: AsyncGenerator[Told | None, None], sender: Sender
) -> AsyncGenerator[GenerationEvent | None, None]:
    """Those that Strawberry has to tell; the others go out from here, in their turn."""
    try:
        async for told in followed:
            if told is None:
                yield None
                continue
            is_sent = await sender.send(partial(event_of, told), told.news.shared, told.cursor)
            if is_sent is None:
                yield event_of(told, told.cursor)
            elif not is_sent:
                return
    finally:
        await followed.aclose()


def _is_told_now(sender: Sender, told: Told) -> bool:
    return sender.send_now(partial(event_of, told), told.news.shared, told.cursor)


def event_of(told: Told, cursor: str) -> GenerationEvent:
    """What clients see of it, with this cursor."""
    news = told.news
    row = news.applied(told.row) if isinstance(news, Progress) else told.row
    base: dict[str, Any] = {"cursor": cursor, "at": news.at, "generation": Generation.of(row)}
    match news:
        case Snapshot():
            return GenerationSnapshot(**base)
        case Progress():
            return GenerationProgressed(
                **base,
                stage=news.stage,
                progress=news.progress,
                step=news.step,
                steps=news.steps,
                eta_seconds=news.eta_seconds,
            )
        case Preview():
            return GenerationPreviewed(**base, data_url=f"data:image/jpeg;base64,{news.jpeg}")
        case Moved(place=place):
            held = HeldReason(place.held_reason) if place.held_reason else None
            return GenerationQueueMoved(
                **base, queue_position=place.position, held_reason=held, eta_seconds=place.eta_seconds
            )
        case Change(kind=EventKind.FAILED):
            failure = GenerationFailure.parse(news.failure) if news.failure else GenerationFailure.of(row)
            return GenerationFailed(**base, failure=failure, will_retry=news.will_retry)
        case Change():
            return CHANGES[news.kind](**base)
