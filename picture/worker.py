"""The processes that do the work: one worker beside each ComfyUI, and schedulers anywhere."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from db import models
from db.database import Database, is_away
from gpu import catalogue, comfyui
from gpu.patience import Patience
from picture.settings import Settings
from picture.stores import storage_config
from storage.anew import Making
from storage.objects import Storage, open_storage
from storage.scanning import Scanner
from tasks import broker, sweep
from tasks.events import Events, connect
from tasks.failures import RetryPolicy
from tasks.generate import Runner
from tasks.intake import Intake
from tasks.process_upload import UploadResources, UploadRules
from tasks.queue import Queue
from tasks.resources import SweepResources, SweepRules, WorkerResources, WorkerRules

log = structlog.get_logger(__name__)

CONNECT_PAUSE_SECONDS = 1.0

StopSignal = Callable[[], asyncio.Event]


def run(settings: Settings) -> int:
    """Drive the ComfyUI of these settings until told to stop; the exit status."""
    asyncio.run(work(settings, _stop_signal))
    return 0


def run_scheduler(settings: Settings) -> int:
    """Repair and clean up until told to stop; the exit status."""
    asyncio.run(schedule(settings, _stop_signal))
    return 0


def _stop_signal() -> asyncio.Event:
    """Set when this process is told to end."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


async def work(settings: Settings, stop: StopSignal) -> None:
    """A worker, until `stop` is set: then what it runs is finished or given back."""
    told = stop()
    async with open_runner(settings) as runner:
        running = asyncio.create_task(runner.run())
        jobs = broker.of_worker(runner, "comfyui")
        url = settings.require("redis_url")
        async with broker.open_worker(url, settings.namespace, jobs, poll_ms=broker.POLL_MS):
            waiting = asyncio.create_task(told.wait())
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            runner.stop()
            await running
            waiting.cancel()


async def schedule(settings: Settings, stop: StopSignal) -> None:
    """The repair pass on its timer, and what is asked for between, until `stop` is set."""
    told = stop()
    async with AsyncExitStack() as stack:
        db, events, queue, storage = await _open_shared(stack, settings)
        rules = SweepRules(
            sweep_seconds=settings.sweep_seconds,
            orphan_seconds=settings.orphan_seconds,
            event_hours=settings.event_hours,
            idempotency_hours=settings.idempotency_hours,
            failed_days=settings.failed_days,
            upload_days=settings.upload_days,
            retry=_retry(settings),
        )
        resources = SweepResources(db, events, queue, storage, rules)
        jobs = broker.of_scheduler(resources)
        url = settings.require("redis_url")
        consuming = broker.open_worker(url, settings.namespace, jobs, poll_ms=broker.UPKEEP_POLL_MS)
        await stack.enter_async_context(consuming)
        intake = Intake(_upload_resources(settings, resources))
        receiving = broker.open_worker(
            url, settings.namespace, broker.of_intake(intake), poll_ms=broker.UPLOADS_POLL_MS
        )
        await stack.enter_async_context(receiving)
        running = [asyncio.create_task(sweep.sweep_for_ever(resources)), asyncio.create_task(intake.run())]
        log.info("scheduler_up")
        waiting = asyncio.create_task(told.wait())
        await asyncio.wait({waiting, *running}, return_when=asyncio.FIRST_COMPLETED)
        for task in (waiting, *running):
            task.cancel()
        for ended in await asyncio.gather(*running, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended  # a mistake of ours: whoever started us starts us again


def _upload_resources(settings: Settings, shared: SweepResources) -> UploadResources:
    rules = UploadRules(
        storage_bytes=settings.storage_bytes,
        max_checking=settings.max_checking,
        lease_seconds=settings.lease_seconds,
        heartbeat_seconds=settings.heartbeat_seconds,
        poll_seconds=settings.poll_seconds,
        making=Making(settings.image_format, settings.image_quality, settings.max_pixels, settings.check_seconds),
    )
    scanner = Scanner(settings.clamav_url, settings.clamav_seconds) if settings.clamav_url else None
    folder = settings.home / "work" / "uploads"
    return UploadResources(shared.db, shared.events, shared.queue, shared.storage, folder, rules, scanner)


@asynccontextmanager
async def open_runner(settings: Settings) -> AsyncIterator[Runner]:
    """A worker's runner with all that it holds open; the catalogue is brought to the database first."""
    async with AsyncExitStack() as stack:
        db, events, queue, storage = await _open_shared(stack, settings)
        entries = catalogue.load(settings.catalogue) if settings.catalogue else catalogue.load()
        await _sync(db, entries)
        patience = Patience(
            progress_timeout_seconds=settings.progress_timeout_seconds,
            attempt_timeout_seconds=settings.attempt_timeout_seconds,
            request_timeout_seconds=settings.engine_timeout_seconds,
        )
        address = settings.require("comfyui_url")
        engine = await stack.enter_async_context(comfyui.open_client(address, settings.comfyui_folder, patience))
        folder = settings.home / "work"
        resources = WorkerResources(db, events, queue, storage, engine, entries, folder, _rules(settings))
        log.info("worker_up", worker=resources.rules.name, engine=address)
        yield Runner(resources)


async def _open_shared(stack: AsyncExitStack, settings: Settings) -> tuple[Database, Events, Queue, Storage]:
    """What workers and schedulers alike hold open."""
    db = Database.connect(
        settings.require("database_worker_url"),
        pool_size=settings.database_pool_size,
        statement_timeout_seconds=settings.statement_timeout_seconds,
    )
    stack.push_async_callback(db.close)
    redis = connect(settings.require("redis_url"))
    stack.push_async_callback(redis.aclose)
    queue = Queue.connect(settings.require("redis_url"), settings.namespace)
    stack.push_async_callback(queue.close)
    storage = await stack.enter_async_context(open_storage(storage_config(settings)))
    return db, Events(redis, settings.namespace), queue, storage


async def _sync(db: Database, entries: catalogue.Catalogue) -> None:
    """Bring the catalogue to the database, as soon as that answers."""
    while True:
        try:
            async with db.as_service() as session:
                return await models.sync(session, "comfyui", [entry.row() for entry in entries.entries.values()])
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("database_away", error=type(error).__name__)
            await asyncio.sleep(CONNECT_PAUSE_SECONDS)


def _rules(settings: Settings) -> WorkerRules:
    host = socket.gethostname()
    return WorkerRules(
        name=settings.worker_name or f"{host}-{os.getpid()}",
        host=host,
        max_concurrent=settings.max_concurrent,
        lease_seconds=settings.lease_seconds,
        heartbeat_seconds=settings.heartbeat_seconds,
        cancel_poll_seconds=settings.cancel_poll_seconds,
        poll_seconds=settings.poll_seconds,
        cancel_grace_seconds=settings.cancel_grace_seconds,
        drain_seconds=settings.drain_seconds,
        storing_seconds=settings.storing_seconds,
        model_scan_seconds=settings.model_scan_seconds,
        max_storing=settings.max_storing,
        image_format=settings.image_format,
        image_quality=settings.image_quality,
        max_pixels=settings.max_pixels,
        retry=_retry(settings),
    )


def _retry(settings: Settings) -> RetryPolicy:
    return RetryPolicy(settings.max_retries, settings.retry_seconds)
