"""The heartbeat of a worker: leases extended, cancels noticed, the worker itself said to be up."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from db import taking, workers
from db.database import is_away
from db.enums import GenerationStage, GenerationStatus
from db.errors import SupersededError
from db.tables import GenerationRow
from db.taking import Attempt
from db.workers import WorkerState
from tasks.resources import WorkerResources

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Live:
    """An attempt that this worker is at, and how far it is."""

    row: GenerationRow
    attempt: Attempt
    stage: GenerationStage = GenerationStage.PREPARING
    progress: float = 0.0
    started: float = field(default_factory=time.monotonic)
    took: dict[str, float] = field(default_factory=dict)  # seconds, by the names in ending.DURATIONS
    # Somebody wants it to stop, or it is no longer ours: either way there is nothing more to do for it.
    is_unwanted: asyncio.Event = field(default_factory=asyncio.Event)

    @contextmanager
    def timing(self, name: str) -> Iterator[None]:
        """Count what happens inside to one of the durations."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.took[name] = self.took.get(name, 0.0) + time.monotonic() - began


class Pulse:
    """Beats for what is in `attempts` and for the one reserved, for as long as `run` runs."""

    def __init__(self, resources: WorkerResources, state: Callable[[], WorkerState | None]) -> None:
        self.attempts: dict[UUID, Live] = {}
        self.reserved: UUID | None = None
        self._resources = resources
        self._state = state
        self._beat_at = 0.0
        self._is_away = False

    async def run(self) -> None:
        """Beat until cancelled; a database that is away is waited for."""
        rules = self._resources.rules
        while True:
            try:
                await self.beat(full=time.monotonic() - self._beat_at >= rules.heartbeat_seconds)
                self._is_away = False
            except Exception as error:
                if not is_away(error):
                    raise
                if not self._is_away:
                    log.warning("database_away", error=type(error).__name__)
                self._is_away = True
            await asyncio.sleep(rules.cancel_poll_seconds)

    async def beat(self, *, full: bool = True) -> None:
        """Look whether anything was canceled; in full, also extend every lease: one transaction."""
        live = list(self.attempts.values())
        if not full and not live:
            return
        async with self._resources.db.as_service() as session:
            if not full:
                statuses = await taking.statuses(session, [one.attempt for one in live])
                self._note(live, statuses)
                return
            rules = self._resources.rules
            for one in live:
                await self._extend(session, one)
            if self.reserved:
                await taking.keep(session, rules.name, self.reserved, rules.lease_seconds)
            if state := self._state():
                await workers.beat(session, state)
        self._beat_at = time.monotonic()

    async def _extend(self, session: AsyncSession, one: Live) -> None:
        seconds = self._resources.rules.lease_seconds
        try:
            status = await taking.extend(
                session, one.attempt, lease_seconds=seconds, stage=one.stage, progress=one.progress
            )
        except SupersededError:
            one.is_unwanted.set()
            return
        if status is GenerationStatus.CANCELING:
            one.is_unwanted.set()

    def _note(self, live: list[Live], statuses: Mapping[UUID, GenerationStatus]) -> None:
        for one in live:
            if statuses.get(one.attempt.id) is not GenerationStatus.PROCESSING:
                one.is_unwanted.set()
