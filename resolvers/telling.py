"""Telling of a change after its commit: should we die before, listeners see the gap and the sweep wakes the queue."""

from collections.abc import Iterable

from db.events import Changed
from schema.context import Info
from schema.enums import GenerationStatus
from tasks.queue import engine_queue


async def tell(info: Info, changes: Iterable[Changed]) -> None:
    """To who listens, each, and to the workers once when there is work."""
    engines: set[str] = set()
    for changed in changes:
        if changed.events:
            await info.context.events.publish(changed)
            if changed.row.status == GenerationStatus.QUEUED:
                engines.add(changed.row.engine)
    await info.context.queue.wake(*map(engine_queue, engines))
