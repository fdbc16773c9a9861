"""The next generation, made ready while another runs: reserved, its inputs uploaded, its graph bound."""

import time
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
from storage import keys
from storage.errors import ObjectMissingError, StorageError
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
        source = await _source(resources, row, attempt_id) if row.source_image_id else None
        workflow = resources.catalogue.entries[slug].workflows[row.mode]
        graph = workflow.bind(_values(row, attempt_id, source))
        return Prepared(row, attempt_id, graph, seconds=time.monotonic() - began)
    except ObjectMissingError:
        failure = failures.SOURCE_GONE
    except StorageError as error:
        log.warning("source_not_fetched", generation_id=str(row.id), error=str(error))
        failure = failures.STORAGE
    except EngineError as error:
        failure = failures.of_engine(error, GenerationStage.PREPARING)
    except (KeyError, ValueError):
        log.exception("workflow_not_bound", generation_id=str(row.id))
        failure = failures.INTERNAL
    return Prepared(row, attempt_id, None, failure)


def _values(row: GenerationRow, attempt_id: UUID, source: str | None) -> dict[str, object]:
    values: dict[str, object] = {
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
    return values if source is None else {**values, "sourceImage": source}


async def _source(resources: WorkerResources, row: GenerationRow, attempt_id: UUID) -> str:
    """The source image in the engine's input folder. Raises ObjectMissingError when it is gone."""
    assert row.source_image_id
    async with resources.db.as_service() as session:
        image = await images.get(session, row.source_image_id)
    if image is None or image.storage_path is None:
        raise ObjectMissingError
    async with scratch(resources.folder) as folder:
        path = folder / "source"
        await _fetch(resources.storage, image.storage_path, path)
        name = f"{attempt_id}-source.{keys.extension_of(image.storage_path)}"
        return await resources.engine.upload(path, name)


async def _fetch(storage: Storage, key: str, into: Path) -> None:
    stored = await storage.open(key)
    with into.open("wb") as file:
        async for chunk in stored.chunks():
            file.write(chunk)
