"""One attempt at a generation: started, followed through the engine, and brought to an end of some kind."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from db import ending, taking
from db.ending import Failure
from db.enums import FailureCode, GenerationStage
from db.errors import SupersededError
from db.events import Changed
from db.tables import GenerationRow
from db.taking import Attempt
from gpu.engine import Finished, OutputImage, Previewed, Progressed
from gpu.errors import EngineError, InterruptedRunError
from gpu.runs import Run
from storage.errors import ImageError, StorageError
from tasks import failures, storing
from tasks.preparing import Prepared
from tasks.pulse import Live, Pulse
from tasks.resources import WorkerResources

log = structlog.get_logger(__name__)

Write = Callable[[AsyncSession], Awaitable[Changed]]

PERSIST_SECONDS = 3600.0  # an end is written when Postgres is back; by then the sweep may have found another


class Attempts:
    """What a worker does with an attempt; every end is told and logged once."""

    def __init__(self, resources: WorkerResources, pulse: Pulse) -> None:
        self._resources = resources
        self._pulse = pulse

    async def run(self, prepared: Prepared) -> tuple[Live, Sequence[OutputImage]] | None:
        """Start it and follow it until the engine has made the pictures; None when it has ended otherwise."""
        try:
            changed = await self._start(prepared)
        except SupersededError:  # it was canceled or taken from us meanwhile, or its time is over
            await self._expire(prepared.row)
            return None
        live = Live(changed.row, Attempt.of(changed.row), took={"prepare_seconds": prepared.seconds})
        outputs: Sequence[OutputImage] = ()
        async with self._ending(live), self._resources.engine.run(live.attempt.id) as run:
            async with self._telling(changed):
                if prepared.graph is not None:
                    await run.submit(prepared.graph, previews=True)
            if prepared.graph is not None:
                outputs = await self._follow(run, live)
            else:
                await self._fail(live, prepared.failure or failures.INTERNAL)
        return await self._rendered(live, outputs)

    async def _start(self, prepared: Prepared) -> Changed:
        """The reserved one becomes PROCESSING. Raises SupersededError."""
        rules = self._resources.rules
        async with self._resources.db.as_service() as session:
            return await taking.start(
                session,
                prepared.row.id,
                worker=rules.name,
                attempt_id=prepared.attempt_id,
                lease_seconds=rules.lease_seconds,
            )

    async def _expire(self, row: GenerationRow) -> None:
        """End what should have started before, or it would be the next again."""
        if row.start_before:
            with suppress(SupersededError):
                async with self._resources.db.as_service() as session:
                    changed = await ending.expire(session, row.id)
                await self._tell(changed)

    async def adopt(self, live: Live) -> tuple[Live, Sequence[OutputImage]] | None:
        """Go on with an attempt that an earlier process of this worker began; None when it has ended otherwise."""
        outputs: Sequence[OutputImage] = ()
        async with self._ending(live), self._resources.engine.run(live.attempt.id) as run:
            if await run.adopt():
                outputs = await self._follow(run, live)
            else:
                await self._fail(live, failures.LOST)
        return await self._rendered(live, outputs)

    async def _rendered(self, live: Live, outputs: Sequence[OutputImage]) -> tuple[Live, Sequence[OutputImage]] | None:
        if outputs:
            return live, outputs
        await self._clean(live)
        return None

    async def store(self, live: Live, outputs: Sequence[OutputImage]) -> None:
        """Bring it to COMPLETED with its pictures."""
        async with self._ending(live):
            await self._tell(await storing.store(self._resources, live, outputs))
        await self._clean(live)

    async def _clean(self, live: Live) -> None:
        """Forget it here and in the engine."""
        self._pulse.attempts.pop(live.attempt.id, None)
        await self._resources.engine.clean(live.attempt.id)

    async def give_back(self, live: Live) -> None:
        """This worker is going: the run is stopped, and its generation waits for another."""
        with suppress(EngineError):
            await self._resources.engine.cancel(live.attempt.id)
        with suppress(SupersededError):
            async with self._resources.db.as_service() as session:
                changed = await taking.give_back(session, live.attempt)
            await self._tell(changed)

    async def _follow(self, run: Run, live: Live) -> Sequence[OutputImage]:
        """The pictures' names, once the run has ended well. A cancel stops it within the grace time."""
        watching = asyncio.ensure_future(self._iterate(run, live))
        unwanted = asyncio.ensure_future(live.is_unwanted.wait())
        try:
            await asyncio.wait({watching, unwanted}, return_when=asyncio.FIRST_COMPLETED)
            if not watching.done():
                with suppress(EngineError):
                    await self._resources.engine.cancel(live.attempt.id)
                grace = self._resources.rules.cancel_grace_seconds
                await asyncio.wait({watching}, timeout=grace)
                if not watching.done():
                    raise InterruptedRunError(by_us=True)
            return await watching
        finally:
            unwanted.cancel()
            watching.cancel()

    async def _iterate(self, run: Run, live: Live) -> Sequence[OutputImage]:
        events = self._resources.events
        async for news in run:
            if isinstance(news, Finished):
                return news.images
            if isinstance(news, Previewed):
                await events.preview(live.row, news.jpeg)
                continue
            live.stage = GenerationStage(news.stage)
            step = steps = None
            if isinstance(news, Progressed):
                live.progress = min(news.progress, 0.99)  # 1 is COMPLETED
                step, steps = news.step, news.steps
            await events.progress(
                live.row, live.stage, live.progress, step=step, steps=steps, eta_seconds=_eta_seconds(live)
            )
        raise EngineError  # a run ends by Finished or raises

    @asynccontextmanager
    async def _ending(self, live: Live) -> AsyncIterator[None]:
        """Whatever goes wrong inside becomes the attempt's end; being cancelled does not."""
        self._pulse.attempts[live.attempt.id] = live
        try:
            yield
        except SupersededError:
            log.info("attempt_superseded", generation_id=str(live.row.id), attempt=live.attempt.number)
        except InterruptedRunError as error:
            await self._end(live, self._interrupted(live, error))
        except EngineError as error:
            if error.code == FailureCode.OUT_OF_MEMORY:
                with suppress(EngineError):
                    await self._resources.engine.free()
            await self._fail(live, failures.of_engine(error, live.stage), detail=error.detail)
        except ImageError as error:
            unreadable = Failure(FailureCode.NO_OUTPUT, "The engine's picture cannot be read.", True, live.stage)
            await self._fail(live, unreadable, detail=str(error))
        except StorageError as error:
            await self._fail(live, failures.STORAGE, detail=str(error))
        except Exception:
            log.exception("attempt_broke", generation_id=str(live.row.id), attempt=live.attempt.number)
            await self._fail(live, failures.INTERNAL)

    def _interrupted(self, live: Live, error: InterruptedRunError) -> Awaitable[Changed]:
        if live.is_unwanted.is_set():
            return self._write(lambda session: ending.canceled(session, live.attempt))
        return self._write_failure(live, failures.of_engine(error, live.stage))

    async def _fail(self, live: Live, failure: Failure, *, detail: str | None = None) -> None:
        log.warning(
            "attempt_failed",
            generation_id=str(live.row.id),
            attempt=live.attempt.number,
            code=str(failure.code),
            node=failure.node,
            detail=detail,
        )
        await self._end(live, self._write_failure(live, failure))

    def _write_failure(self, live: Live, failure: Failure) -> Awaitable[Changed]:
        rules = self._resources.rules
        pause = rules.retry.pause_seconds(failure, live.row.retry_count)
        return self._write(
            lambda session: ending.fail(session, live.attempt, failure, retry_after_seconds=pause, worker=rules.name)
        )

    async def _end(self, live: Live, write: Awaitable[Changed]) -> None:
        try:
            await self._tell(await write)
        except SupersededError:
            log.info("attempt_superseded", generation_id=str(live.row.id), attempt=live.attempt.number)

    async def _write(self, act: Write) -> Changed:
        async def once() -> Changed:
            async with self._resources.db.as_service() as session:
                return await act(session)

        return await storing.persist(once, PERSIST_SECONDS)

    @asynccontextmanager
    async def _telling(self, changed: Changed) -> AsyncIterator[None]:
        """It is told when this is left, and the engine has not waited for Redis."""
        telling = asyncio.create_task(self._tell(changed))
        try:
            yield
        finally:
            await telling

    async def _tell(self, changed: Changed) -> None:
        row = changed.row
        for event in changed.events:
            log.info("generation", id=str(row.id), change=str(event.kind), attempt=event.attempt, worker=row.worker)
        await self._resources.events.publish(changed)


def _eta_seconds(live: Live) -> float:
    """By the clock once there is something to go by, by what is expected before."""
    taken = time.monotonic() - live.started
    if live.progress < 0.1:
        return max(live.row.expected_seconds - taken, 0)
    return taken * (1 - live.progress) / live.progress
