"""A GPU worker: takes what waits, one run in the engine at a time, with the next prepared and the last being stored."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog

from db import models, taking, workers
from db.database import is_away
from db.taking import Attempt
from db.workers import WorkerState
from gpu.engine import OutputImage
from gpu.errors import EngineError
from tasks import preparing
from tasks.attempts import Attempts
from tasks.preparing import Prepared
from tasks.pulse import Live, Pulse
from tasks.resources import WorkerResources

log = structlog.get_logger(__name__)

GIVE_WAY_SECONDS = 0.03  # a worker that is busy lets an idle one take first, of those that wait already
PAUSE_SECONDS = 1.0  # before trying again what a service that is away has refused
ENGINE_DOWN_SECONDS = 2.0  # between two looks for an engine that does not answer


class Runner:
    """One worker. `run` it until it is stopped; `wake` it when there may be work."""

    _group: asyncio.TaskGroup

    def __init__(self, resources: WorkerResources) -> None:
        self._resources = resources
        self._pulse = Pulse(resources, self._state)
        self._attempts = Attempts(resources, self._pulse)
        self._model_ids: dict[UUID, str] = {}
        self._engine: tuple[str, str] | None = None  # version and device, while it answers
        self._woken = asyncio.Event()
        self._has_looked = asyncio.Event()
        self._is_free = asyncio.Event()
        self._stopping = asyncio.Event()
        self._storing: set[asyncio.Task[None]] = set()
        self._storing_slots = asyncio.Semaphore(resources.rules.max_storing)

    def wake(self) -> None:
        """There may be work."""
        self._has_looked.clear()
        self._woken.set()

    async def looked(self) -> None:
        """Wait until the queue was looked into after the last wake; while the next one is prepared, that is later."""
        await self._has_looked.wait()

    def stop(self) -> None:
        """Take nothing more; what runs may finish within the drain time, or is given back."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped. What breaks in here ends it, loudly: who started us starts us again."""
        await self._scan_models()
        async with asyncio.TaskGroup() as group:
            self._group = group
            background = [group.create_task(self._scan()), group.create_task(self._pulse.run())]
            working = group.create_task(self._work())
            await self._stopping.wait()
            await self._drain(working)
            for task in (working, *background, *self._storing):
                task.cancel()
            self._has_looked.set()  # who waits to acknowledge a message need not wait any more

    # ── Working ────────────────────────────────────────────────────────────

    async def _work(self) -> None:
        await self._adopt()
        self._is_free.set()
        upcoming = asyncio.create_task(self._next())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while True:
                await asyncio.wait({upcoming, stopping}, return_when="FIRST_COMPLETED")
                if stopping.done():
                    return
                prepared = await upcoming
                self._is_free.clear()
                upcoming = asyncio.create_task(self._next())
                if rendered := await self._patiently(self._attempts.run(prepared)):
                    await self._storing_slots.acquire()
                    self._spawn(self._store(*rendered))
                else:
                    self._woken.set()  # somebody may have been at their limit
                self._is_free.set()
        finally:
            upcoming.cancel()
            stopping.cancel()
            await asyncio.gather(upcoming, stopping, return_exceptions=True)

    async def _adopt(self) -> None:
        """Take up what an earlier process of this name has left, and let go of what it had reserved."""
        async with self._resources.db.as_service() as session:
            await taking.release(session, self._resources.rules.name)
            rows = await taking.mine(session, self._resources.rules.name)
        await self._resources.engine.clean_but([row.attempt_id for row in rows if row.attempt_id])
        for row in rows:
            live = Live(row, Attempt.of(row), progress=row.progress)
            log.info("attempt_adopted", generation_id=str(row.id), attempt=row.attempt)
            if rendered := await self._attempts.adopt(live):
                await self._attempts.store(*rendered)

    async def _next(self) -> Prepared:
        """The next generation, prepared; waits until there is one."""
        give_way_seconds = GIVE_WAY_SECONDS
        while True:
            self._woken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(give_way_seconds):
                    await self._is_free.wait()
            give_way_seconds = self._resources.rules.poll_seconds  # whoever is idle has looked by then
            row = await self._patiently(preparing.reserve(self._resources, self._model_ids))
            if not self._woken.is_set():
                self._has_looked.set()
            if row:
                self._pulse.reserved = row.id
                return await preparing.prepare(self._resources, row, self._model_ids[row.model_id])
            self._pulse.reserved = None
            with suppress(TimeoutError):
                async with asyncio.timeout(self._resources.rules.poll_seconds):
                    await self._woken.wait()

    async def _store(self, live: Live, outputs: Sequence[OutputImage]) -> None:
        try:
            await self._attempts.store(live, outputs)
        finally:
            self._storing_slots.release()
            self._woken.set()  # somebody may have been at their limit

    def _spawn(self, storing: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(storing)
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def _patiently(self, act: Coroutine[Any, Any, Any]) -> Any:
        """What `act` gives; None, after a pause, while Postgres is away."""
        try:
            return await act
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("database_away", error=type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)
            return None

    # ── The engine and its models ──────────────────────────────────────────

    async def _scan(self) -> None:
        while True:
            await asyncio.sleep(self._resources.rules.model_scan_seconds if self._engine else ENGINE_DOWN_SECONDS)
            await self._scan_models()

    async def _scan_models(self) -> None:
        """Find out whether the engine answers, and which models it has all files of."""
        catalogue = self._resources.catalogue
        try:
            stats = await self._resources.engine.stats()
            files = await self._resources.engine.files(catalogue.folders)
            async with self._resources.db.as_service() as session:
                rows = await models.page(session)
        except Exception as error:
            if not (isinstance(error, EngineError) or is_away(error)):
                raise
            if self._engine:
                log.warning("engine_away", error=str(error))
            self._engine, self._model_ids = None, {}
            return
        able = catalogue.available(files)
        self._model_ids = {row.id: row.slug for row in rows if row.slug in able}
        if self._engine is None:
            log.info("engine_up", version=stats.version, device=stats.device, models=sorted(self._model_ids.values()))
            self.wake()
        self._engine = (stats.version, stats.device)

    def _state(self) -> WorkerState | None:
        rules = self._resources.rules
        if self._engine is None:
            return None
        version, device = self._engine
        return WorkerState(rules.name, rules.engine, rules.host, list(self._model_ids), version, device)

    # ── Going ──────────────────────────────────────────────────────────────

    async def _drain(self, working: asyncio.Task[None]) -> None:
        """Let what runs finish for a while, then give the rest back."""
        rules = self._resources.rules
        with suppress(TimeoutError):
            async with asyncio.timeout(rules.drain_seconds):
                await asyncio.wait({working})
                await asyncio.gather(*self._storing)
        working.cancel()
        for live in list(self._pulse.attempts.values()):
            await self._attempts.give_back(live)
        async with self._resources.db.as_service() as session:
            await taking.release(session, rules.name)
            await workers.leave(session, rules.name)
