"""The repair pass: what lost its worker is queued again, what nobody heard of is told, what is old goes.

It may run anywhere and any number of times; one of them works at a time. Each row is a transaction of its own, so
a sweep that dies has done what it has done.
"""

import asyncio
from contextlib import suppress
from uuid import UUID

import structlog

from db import ending, models, objects, receiving, sweeping, workers
from db.database import is_away
from db.errors import SupersededError
from db.tables import GenerationRow
from db.taking import Attempt
from storage.errors import StorageError
from tasks import failures
from tasks.queue import engine_queue
from tasks.resources import SweepResources

log = structlog.get_logger(__name__)


async def sweep(resources: SweepResources) -> None:
    """One pass over everything."""
    rules = resources.rules
    async with resources.db.as_service() as session:
        if not await sweeping.is_ours(session):
            return
        lost = await sweeping.expired(session, rules.batch_count)
        overdue = await sweeping.overdue(session, rules.batch_count)
        await sweeping.release_expired(session)
        await objects.abandon(session, rules.orphan_seconds)
        await models.measure(session)
        await workers.forget(session)
        expired = await receiving.expire(session, rules.batch_count)
        await receiving.forget(session, rules.upload_days, rules.batch_count)
        await sweeping.forget_old(
            session,
            event_hours=rules.event_hours,
            idempotency_hours=rules.idempotency_hours,
            failed_days=rules.failed_days,
            limit=rules.batch_count,
        )
    for row in lost:
        await _requeue(resources, row)
    for id in overdue:
        await _expire(resources, id)
    for upload_id in expired:
        await resources.events.announce(f"upload:{upload_id}", {})
    await tidy(resources)
    async with resources.db.as_service() as session:
        engines = await sweeping.waiting_engines(session)
    await resources.queue.wake(*map(engine_queue, engines))


async def _requeue(resources: SweepResources, row: GenerationRow) -> None:
    """Its worker has been silent for too long: another attempt, or the end."""
    pause = resources.rules.retry.pause_seconds(failures.LOST, row.retry_count)
    with suppress(SupersededError):
        async with resources.db.as_service() as session:
            changed = await ending.fail(
                session,
                Attempt.of(row),
                failures.LOST,
                retry_after_seconds=pause,
                worker=row.worker,
                if_expired=True,
            )
        log.warning("worker_lost", generation_id=str(row.id), attempt=row.attempt, worker=row.worker)
        await resources.events.publish(changed)


async def _expire(resources: SweepResources, id: UUID) -> None:
    """It was to start by now, and has not."""
    with suppress(SupersededError):
        async with resources.db.as_service() as session:
            changed = await ending.expire(session, id)
        await resources.events.publish(changed)


async def tidy(resources: SweepResources) -> None:
    """Remove the objects that were left as tombstones; twice is fine.

    What was stored under another S3_PREFIX may be anybody's by now: it is struck off, and stays.
    """
    while True:
        async with resources.db.as_service() as session:
            keys = await objects.deleted(session, resources.rules.batch_count)
        if not keys:
            return
        ours = [key for key in keys if key.startswith(resources.storage.prefix)]
        try:
            await resources.storage.delete(ours)
        except StorageError as error:
            log.warning("objects_not_removed", count=len(ours), error=str(error))
            return
        async with resources.db.as_service() as session:
            await objects.forget(session, keys)
        log.info("objects_removed", count=len(ours), left_outside_prefix=len(keys) - len(ours))


async def sweep_for_ever(resources: SweepResources) -> None:
    """A pass every few seconds; a database that is away is waited for."""
    was_away = False
    while True:
        try:
            await sweep(resources)
            was_away = False
        except Exception as error:
            if not is_away(error):
                raise
            if not was_away:
                log.warning("database_away", error=type(error).__name__)
            was_away = True
        await asyncio.sleep(resources.rules.sweep_seconds)
