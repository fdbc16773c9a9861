"""The table of jobs, and what runs them: open this and you have read what happens outside a request."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Retries, TimeLimit

from tasks.generate import Runner
from tasks.intake import Intake
from tasks.queue import ACTORS, GENERATE, UPKEEP, UPLOADS, engine_queue
from tasks.resources import SweepResources
from tasks.sweep import tidy

ACKNOWLEDGE_SECONDS = 60.0  # a worker that never has a hand free still acknowledges its wake-ups
TIME_LIMIT_MS = 10 * 60 * 1000
STOP_MS = 5_000
# Dramatiq asks Redis for messages this often: what a wake-up of somebody idle may be late by.
POLL_MS = 50
UPKEEP_POLL_MS = 1000
UPLOADS_POLL_MS = 200


@dataclass(frozen=True, slots=True)
class Job:
    """Something that a message asks for. It may run twice, and die at any line."""

    name: str
    queue: str
    run: Callable[[], Awaitable[None]]
    max_retries: int = 0  # the sweep asks again; a message that failed need not


def of_worker(runner: Runner, engine: str) -> tuple[Job, ...]:
    """What a GPU worker does when it is woken."""

    async def generate() -> None:
        """Take what waits, as far as this worker has hands free."""
        runner.wake()
        try:
            async with asyncio.timeout(ACKNOWLEDGE_SECONDS):
                await runner.looked()
        except TimeoutError:
            return

    return (Job(GENERATE, engine_queue(engine), generate),)


def of_scheduler(resources: SweepResources) -> tuple[Job, ...]:
    """What the scheduler does between its passes."""
    return (Job(ACTORS[UPKEEP], UPKEEP, lambda: tidy(resources)),)


def of_intake(intake: Intake) -> tuple[Job, ...]:
    """What checks uploads when it is woken: a message says only that one waits."""

    async def process_upload() -> None:
        intake.wake()

    return (Job(ACTORS[UPLOADS], UPLOADS, process_upload),)


@asynccontextmanager
async def open_worker(url: str, namespace: str, jobs: tuple[Job, ...], *, poll_ms: int) -> AsyncIterator[None]:
    """Run `jobs` on this loop as their messages come, one at a time."""
    middleware = [Retries(max_retries=0), TimeLimit(time_limit=TIME_LIMIT_MS)]
    broker = RedisBroker(url=url, namespace=namespace, middleware=middleware)  # type: ignore[no-untyped-call]
    loop = asyncio.get_running_loop()
    for job in jobs:
        _declare(broker, loop, job)
    worker = dramatiq.Worker(broker, queues={job.queue for job in jobs}, worker_threads=1, worker_timeout=poll_ms)
    worker.start()
    try:
        yield
    finally:
        await asyncio.to_thread(worker.stop, timeout=STOP_MS)
        await asyncio.to_thread(broker.close)


def _declare(broker: dramatiq.Broker, loop: asyncio.AbstractEventLoop, job: Job) -> None:
    """Make `job` an actor of `broker`; no module-level broker."""

    def run() -> None:
        asyncio.run_coroutine_threadsafe(_started(job), loop).result()

    dramatiq.actor(broker=broker, actor_name=job.name, queue_name=job.queue, max_retries=job.max_retries)(run)


async def _started(job: Job) -> None:
    await job.run()
