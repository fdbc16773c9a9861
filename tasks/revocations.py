"""Telling every process who is gone; one that does not hear it asks Postgres, every few seconds."""

from collections.abc import AsyncIterator
from uuid import UUID

from tasks.events import Events
from tasks.hub import Hub

TOPIC = "revoked"


async def announce(events: Events, person: UUID) -> None:
    """Say that this person's tokens are worth nothing any more."""
    await events.announce(TOPIC, {"sub": str(person)})


async def listen(hub: Hub) -> AsyncIterator[UUID | None]:
    """Who is gone, as it is told; None now and then: something may have been missed."""
    async with hub.topic(TOPIC) as topic:
        while True:
            fact = await topic.next()
            try:
                yield UUID(str(fact["sub"])) if fact else None
            except (KeyError, ValueError):
                yield None
