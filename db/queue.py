"""Where waiting generations stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.enums import HeldReason


@dataclass(frozen=True, slots=True)
class QueueRules:
    """What decides whether a generation may go."""

    max_concurrent: int = 3
    worker_up_seconds: float = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where one stands: 1 is next; None while no worker can run it."""

    position: int | None
    held_reason: HeldReason | None
    eta_seconds: float | None


PROSPECT = text("""
    select * from picture.prospect(:model_id, :priority, :seconds, :max_concurrent, :up_seconds)
""")


async def prospect(session: AsyncSession, model_id: UUID, seconds: float, rules: QueueRules) -> Place:
    """Where a generation of the caller's that takes so many seconds would stand, were it created now."""
    values = {"model_id": model_id, "priority": 0, "seconds": seconds, "max_concurrent": rules.max_concurrent}
    row = (await session.execute(PROSPECT, {**values, "up_seconds": float(rules.worker_up_seconds)})).one()
    return Place(row.queue_position, HeldReason(row.held_reason) if row.held_reason else None, row.eta_seconds)


PLACES = text("select * from picture.places(cast(:ids as uuid[]), :max_concurrent, :up_seconds)")


async def places(session: AsyncSession, ids: Sequence[UUID], rules: QueueRules) -> dict[UUID, Place]:
    """The places of those that are QUEUED: one statement for all, whoever asks."""
    values = {"ids": list(ids), "max_concurrent": rules.max_concurrent, "up_seconds": float(rules.worker_up_seconds)}
    rows = await session.execute(PLACES, values)
    return {
        row.generation_id: Place(
            row.queue_position, HeldReason(row.held_reason) if row.held_reason else None, row.eta_seconds
        )
        for row in rows
    }
