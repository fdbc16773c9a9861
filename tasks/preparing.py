"""The next generation, made ready while another runs: reserved, its inputs uploaded, its graph bound."""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import structlog

from db import images, taking
from db.ending import Failure
from db.enums import GenerationStage
from db.tables import GenerationRow
from gpu.engine import Graph
from gpu.errors import EngineError
from storage import keys, masks
from storage.errors import ImageError, ObjectMissingError, StorageError
from storage.objects import Storage
from tasks import failures
from tasks.resources import WorkerResources
from tasks.scratch import scratch

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A reserved generation, and what is to be posted under `attempt_id`; or why it cannot be."""

    row: GenerationRow
    attempt_id: UUID
    graph: Graph | None
    failure: Failure | None = None
    seconds: float = 0.0  # that it took


async def reserve(resources: WorkerResources, model_ids: dict[UUID, str]) -> GenerationRow | None:
    """Whose turn it is, of the models that this worker can run; None when nobody waits for it."""
    rules = resources.rules
    if not model_ids:
        return None
    async with resources.db.as_service() as session:
        return await taking.reserve(
            session,
            worker=rules.name,
            engine=rules.engine,
            model_ids=list(model_ids),
            max_concurrent=rules.max_concurrent,
            lease_seconds=rules.lease_seconds,
        )


async def prepare(resources: WorkerResources, row: GenerationRow, slug: str) -> Prepared:
    """Everything that can be done before the engine is free. What is wrong comes out when the attempt begins."""
    attempt_id, began = uuid4(), time.monotonic()
    try:
        workflow = resources.catalogue.entries[slug].workflows[row.mode]
        pictures = await _pictures(resources, row, attempt_id, workflow.accepts) if row.source_image_id else {}
        graph = workflow.bind({**_values(row, attempt_id), **pictures})
        return Prepared(row, attempt_id, graph, seconds=time.monotonic() - began)
    except ObjectMissingError:
        failure = failures.SOURCE_GONE
    except (KeyError, ValueError, ImageError):
        log.exception("workflow_not_bound", generation_id=str(row.id))
        failure = failures.INTERNAL
    except StorageError as error:
        log.warning("source_not_fetched", generation_id=str(row.id), error=str(error))
        failure = failures.STORAGE
    except EngineError as error:
        failure = failures.of_engine(error, GenerationStage.PREPARING)
    return Prepared(row, attempt_id, None, failure)


def _values(row: GenerationRow, attempt_id: UUID) -> dict[str, object]:
    return {
        "prompt": row.prompt,
        "negativePrompt": row.negative_prompt,
        "seed": row.seed,
        "width": row.width,
        "height": row.height,
        "steps": row.steps,
        "guidance": row.guidance_scale,
        "imageCount": row.image_count,
        "strength": row.strength,
        # unlike for each attempt: nothing is answered from the engine's cache, and no folder grows
        "output": f"picture/{attempt_id}/i",
    }


async def _pictures(
    resources: WorkerResources, row: GenerationRow, attempt_id: UUID, takes: Collection[str]
) -> dict[str, str]:
    """What the graph starts from, in the engine's input folder. Raises ObjectMissingError when it is gone.

    A mask goes to the node that is titled for it; where there is none, the source is transparent where it is white.
    """
    assert row.source_image_id
    limit = resources.rules.max_pixels
    async with scratch(resources.folder) as folder:
        source, mask = await _fetched(resources, row.source_image_id, folder / "source"), None
        if row.mask_image_id:
            mask = await _fetched(resources, row.mask_image_id, folder / "mask")
        if "maskImage" not in takes and mask:
            source = await asyncio.to_thread(masks.cut_out, source, mask, folder / "cut.png", max_pixels=limit)
        elif "maskImage" in takes and not mask:
            mask = await asyncio.to_thread(masks.transparency, source, folder / "clear.png", max_pixels=limit)
        given = {"sourceImage": source} | ({"maskImage": mask} if mask and "maskImage" in takes else {})
        engine = resources.engine
        return {name: await engine.upload(path, f"{attempt_id}-{name}{path.suffix}") for name, path in given.items()}


async def _fetched(resources: WorkerResources, image_id: UUID, into: Path) -> Path:
    """The bytes of an image, in a file with its extension."""
    async with resources.db.as_service() as session:
        image = await images.get(session, image_id)
    if image is None or image.storage_path is None:
        raise ObjectMissingError
    path = into.with_suffix(f".{keys.extension_of(image.storage_path)}")
    await _fetch(resources.storage, image.storage_path, path)
    return path


async def _fetch(storage: Storage, key: str, into: Path) -> None:
    stored = await storage.open(key)
    with into.open("wb") as file:
        async for chunk in stored.chunks():
            file.write(chunk)
