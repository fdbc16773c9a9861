"""Workers as others know them: what they can run, and when they were last heard of."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What a worker says of itself."""

    name: str
    engine: str
    host: str
    model_ids: Sequence[UUID]
    engine_version: str | None = None
    device: str | None = None


BEAT = text("""
    insert into workers (name, engine, host, model_ids, engine_version, device)
    values (:name, :engine, :host, cast(:model_ids as uuid[]), cast(:engine_version as text), cast(:device as text))
    on conflict (name) do update set engine = excluded.engine, host = excluded.host, model_ids = excluded.model_ids,
        engine_version = excluded.engine_version, device = excluded.device, state = 'up', heartbeat_at = now()
""")
LEAVE = text("delete from workers where name = :name")
FORGET = text("delete from workers where heartbeat_at < now() - interval '1 day'")


async def beat(session: AsyncSession, worker: WorkerState) -> None:
    """Say that this worker is up, and what it can run now."""
    values = {name: getattr(worker, name) for name in WorkerState.__slots__}
    await session.execute(BEAT, {**values, "model_ids": list(worker.model_ids)})


async def leave(session: AsyncSession, name: str) -> None:
    """This worker is going."""
    await session.execute(LEAVE, {"name": name})


async def forget(session: AsyncSession) -> None:
    """Strike off workers that have been silent for a day."""
    await session.execute(FORGET)
