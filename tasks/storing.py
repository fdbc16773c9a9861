"""From the engine's files to COMPLETED: fetched, rendered, announced, stored, committed, told, cleaned up.

Every step may run twice: keys follow from the attempt, and only the newest attempt may write or commit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential

from db import ending, objects
from db.database import is_away
from db.ending import StoredPicture
from db.enums import GenerationStage
from db.events import Changed
from gpu.engine import OutputImage
from storage import images, keys
from storage.errors import StorageUnavailableError
from storage.images import Rendered
from storage.keys import Variant
from tasks.pulse import Live
from tasks.resources import WorkerResources
from tasks.scratch import scratch

log = structlog.get_logger(__name__)

Result = TypeVar("Result")
File = tuple[str, Path, str]  # its key, where it lies, its type

THUMBNAIL_EXTENSION = "webp"


async def persist(act: Callable[[], Awaitable[Result]], seconds: float) -> Result:
    """What `act` gives, tried again while Postgres or the storage is away, for at most `seconds`."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception(_is_away), stop=stop_after_delay(seconds), wait=wait_random_exponential(0.1, max=5),
        reraise=True,
    ):  # fmt: skip
        with attempt:
            return await act()
    raise AssertionError("tenacity always returns or raises")


def _is_away(error: BaseException) -> bool:
    return isinstance(error, StorageUnavailableError) or is_away(error)


async def store(resources: WorkerResources, live: Live, outputs: Sequence[OutputImage]) -> Changed:
    """Make COMPLETED (or, when it was canceled meanwhile, CANCELED) of a run that has ended well.

    Raises SupersededError, EngineError when the files are gone, StorageError or the database's errors when those
    stay away. What was rendered is stored again, not rendered again.
    """
    seconds = resources.rules.storing_seconds
    live.stage = GenerationStage.STORING
    live.took["run_seconds"] = time.monotonic() - live.started
    async with scratch(resources.folder) as folder:
        pictures: list[StoredPicture] = []
        files: list[File] = []
        for index, output in enumerate(outputs):
            rendered = await _render(resources, live, output, folder / str(index))
            picture, paths = _named(resources, live, index, rendered)
            pictures.append(picture)
            files += paths
        with live.timing("store_seconds"):
            await persist(lambda: _announce(resources, live, [key for key, _, _ in files]), seconds)
            await _put(resources, files, seconds)
    return await persist(lambda: _complete(resources, live, pictures), seconds)


async def _put(resources: WorkerResources, files: Sequence[File], seconds: float) -> None:
    """Store them, all at once: each waits for the disk or the network. What fails is raised when all have ended."""
    puts = (persist(partial(resources.storage.put, *file), seconds) for file in files)
    for result in await asyncio.gather(*puts, return_exceptions=True):
        if result is not None:
            raise result


async def _render(resources: WorkerResources, live: Live, output: OutputImage, folder: Path) -> Rendered:
    rules = resources.rules
    folder.mkdir()
    source = folder / "source"
    with live.timing("fetch_seconds"):
        await resources.engine.download(output, source)
    with live.timing("render_seconds"):
        return await asyncio.to_thread(
            images.render,
            source,
            folder,
            format=rules.image_format,
            quality=rules.image_quality,
            max_pixels=rules.max_pixels,
        )


def _named(resources: WorkerResources, live: Live, index: int, rendered: Rendered) -> tuple[StoredPicture, list[File]]:
    """The row of one picture, and its files with their keys and types."""
    paths = {Variant.FULL: rendered.path, Variant.MEDIUM: rendered.medium_path, Variant.SMALL: rendered.small_path}
    names = {
        variant: keys.image_key(
            resources.storage.prefix,
            live.attempt.generation_id,
            live.attempt.id,
            index,
            variant,
            rendered.format if variant is Variant.FULL else THUMBNAIL_EXTENSION,
        )
        for variant in Variant
    }
    picture = StoredPicture(
        index=index,
        storage_path=names[Variant.FULL],
        medium_path=names[Variant.MEDIUM],
        small_path=names[Variant.SMALL],
        format=rendered.format,
        file_size=rendered.file_size,
        width=rendered.width,
        height=rendered.height,
        blurhash=rendered.blurhash,
    )
    return picture, [(names[v], paths[v], keys.content_type_of(names[v])) for v in Variant]


async def _announce(resources: WorkerResources, live: Live, names: Sequence[str]) -> None:
    async with resources.db.as_service() as session:
        await objects.announce(session, live.attempt, names)


async def _complete(resources: WorkerResources, live: Live, pictures: Sequence[StoredPicture]) -> Changed:
    async with resources.db.as_service() as session:
        return await ending.complete(session, live.attempt, pictures, live.took)
