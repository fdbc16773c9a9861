"""One upload, from the bytes that arrived to an image: fetched, scanned, made anew, announced, stored, committed.

Nothing that its owner said of it is believed. Every step may run twice, and die right after: keys follow from the
attempt, and only the newest attempt may write or commit. What is wrong with the file ends it as REJECTED; what is
wrong with us (Postgres, the storage, the scanner away) is waited for, and does not count against the file.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import structlog

from db import receiving
from db.database import Database, is_away
from db.errors import SupersededError
from db.receiving import Check, ReceivedPicture
from storage import anew, keys
from storage.anew import Making
from storage.errors import (
    ImageError,
    ImageInterruptedError,
    ImageTooLargeError,
    ObjectMissingError,
    StorageError,
)
from storage.images import Rendered
from storage.keys import Variant
from storage.objects import Storage
from storage.scanning import Scanner
from tasks.events import Events
from tasks.queue import UPKEEP, Queue
from tasks.scratch import scratch

log = structlog.get_logger(__name__)

GIVE_BACK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class UploadRules:
    """The figures that checking keeps to."""

    storage_bytes: int = 5_000_000_000
    max_checking: int = 2
    max_attempts: int = 3
    lease_seconds: float = 30
    heartbeat_seconds: float = 5
    poll_seconds: float = 2
    trouble_seconds: float = 5
    making: Making = field(default_factory=Making)


@dataclass(frozen=True, slots=True)
class UploadResources:
    """What checking works with."""

    db: Database
    events: Events
    queue: Queue
    storage: Storage
    folder: Path
    rules: UploadRules
    scanner: Scanner | None = None


class RefusedError(Exception):
    """The file is not taken."""

    def __init__(self, message: str, code: str = "INVALID") -> None:
        super().__init__(message)
        self.code = code


async def process(resources: UploadResources, check: Check) -> None:
    """READY, REJECTED, or given back to be tried again. Raises nothing but what cancels it, or is our mistake."""
    try:
        await _while_ours(resources, check, _decide(resources, check))
    except SupersededError:
        log.info("upload_superseded", upload_id=str(check.id), attempt=check.number)
    except asyncio.CancelledError:
        with suppress(TimeoutError):
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                await _put_off(resources, check, 0, is_our_fault=True)
        raise
    except Exception as error:
        is_ours = isinstance(error, StorageError) and not isinstance(error, ImageError)
        if not (is_ours or is_away(error) or isinstance(error, ImageInterruptedError)):
            log.exception("upload_broke", upload_id=str(check.id))
        else:
            log.warning("upload_put_off", upload_id=str(check.id), error=f"{type(error).__name__}: {error}")
        seconds = resources.rules.trouble_seconds
        await _put_off(resources, check, seconds, is_our_fault=is_ours or is_away(error))


async def _decide(resources: UploadResources, check: Check) -> None:
    """Make it READY or REJECTED, and tell."""
    try:
        if check.number > resources.rules.max_attempts:
            raise RefusedError("The file could not be read: every try took too much time or memory.")
        await _receive(resources, check)
    except RefusedError as error:
        async with resources.db.as_service() as session:
            await receiving.reject(session, check, error.code, str(error))
        log.info("upload_rejected", upload_id=str(check.id), code=error.code)
    await tell(resources, check.id)
    await resources.queue.wake(UPKEEP)


async def tell(resources: UploadResources, upload_id: UUID) -> None:
    """Whoever watches it looks at the row again."""
    await resources.events.announce(f"upload:{upload_id}", {})


async def _receive(resources: UploadResources, check: Check) -> None:
    """Make an image of it. Raises RefusedError."""
    async with scratch(resources.folder) as folder:
        source = folder / "source"
        await _fetch(resources, check, source)
        if resources.scanner and (found := await resources.scanner.infection(source)):
            log.warning("upload_infected", upload_id=str(check.id), found=found)
            raise RefusedError("The virus scanner has found something in the file.", "BLOCKED_CONTENT")
        rendered = await _rendered(source, folder / "made", resources.rules.making)
        await _store(resources, check, rendered)


async def _fetch(resources: UploadResources, check: Check, source: Path) -> None:
    try:
        stored = await resources.storage.open(check.object_key)
    except ObjectMissingError as error:
        raise RefusedError("The bytes are not there any more.") from error
    try:
        if stored.size != check.size:
            raise RefusedError(f"{check.size} bytes were promised, and {stored.size} have come.")
        with source.open("wb") as file:
            async for chunk in stored.chunks():
                await asyncio.to_thread(file.write, chunk)
    finally:
        stored.close()


async def _rendered(source: Path, into: Path, making: Making) -> Rendered:
    try:
        return await anew.make(source, into, making)
    except ImageInterruptedError:
        raise
    except ImageTooLargeError as error:
        raise RefusedError(f"{error} At most {making.max_pixels} pixels.", "TOO_LARGE") from error
    except ImageError as error:
        raise RefusedError(str(error)) from error


async def _store(resources: UploadResources, check: Check, rendered: Rendered) -> None:
    paths = {Variant.FULL: rendered.path, Variant.MEDIUM: rendered.medium_path, Variant.SMALL: rendered.small_path}
    prefix = resources.storage.prefix
    names = {
        variant: keys.received_key(prefix, check.id, check.attempt_id, variant, path.suffix[1:])
        for variant, path in paths.items()
    }
    async with resources.db.as_service() as session:
        await receiving.announce(session, check, list(names.values()))
    for variant, path in paths.items():
        await resources.storage.put(names[variant], path, keys.content_type_of(names[variant]))
    picture = ReceivedPicture(
        storage_path=names[Variant.FULL],
        medium_path=names[Variant.MEDIUM],
        small_path=names[Variant.SMALL],
        format=rendered.format,
        file_size=rendered.file_size,
        width=rendered.width,
        height=rendered.height,
        blurhash=rendered.blurhash,
    )
    async with resources.db.as_service() as session:
        is_ready = await receiving.ready(session, check, picture, resources.rules.storage_bytes)
    if not is_ready:
        raise RefusedError(f"There is no room left for it: {rendered.file_size} bytes.", "TOO_LARGE")


async def _while_ours(resources: UploadResources, check: Check, work: Coroutine[object, object, None]) -> None:
    """Do the work while the lease is extended. Raises SupersededError as soon as another has it."""
    working, beating = asyncio.create_task(work), asyncio.create_task(_beat(resources, check))
    try:
        await asyncio.wait({working, beating}, return_when=asyncio.FIRST_COMPLETED)
        (working if working.done() else beating).result()
    finally:
        working.cancel()
        beating.cancel()
        await asyncio.gather(working, beating, return_exceptions=True)


async def _beat(resources: UploadResources, check: Check) -> None:
    while True:
        await asyncio.sleep(resources.rules.heartbeat_seconds)
        try:
            async with resources.db.as_service() as session:
                await receiving.extend(session, check, resources.rules.lease_seconds)
        except Exception as error:
            if not is_away(error):
                raise


async def _put_off(resources: UploadResources, check: Check, seconds: float, *, is_our_fault: bool) -> None:
    """Where even that cannot be written, the lease runs out."""
    try:
        async with resources.db.as_service() as session:
            await receiving.put_off(session, check, seconds, is_our_fault=is_our_fault)
    except Exception as error:
        if not is_away(error):
            raise
