"""What the tests of the client share: a small graph, and runs of it to their end."""

from uuid import UUID, uuid4

import pytest

from gpu import catalogue
from gpu.comfyui import Client
from gpu.engine import Finished, Graph, News
from gpu.errors import EngineError
from gpu.patience import Patience
from gpu.runs import Run

SD15 = catalogue.load().entries["stable-diffusion-1.5"]

QUICK = Patience(
    progress_timeout_seconds=30,
    attempt_timeout_seconds=60,
    request_timeout_seconds=5,
    unreachable_seconds=10,
    silence_seconds=0.1,
    poll_seconds=0.02,
    settle_seconds=0.1,
    link_seconds=0.5,
    dead_worker_seconds=0.2,
)


def graph(id: UUID, mode: str = "text_to_image", **values: object) -> Graph:
    """A small image of a fox, in an output folder of its own."""
    usual = {"prompt": "a fox", "seed": 7, "steps": 4, "width": 64, "height": 64, "output": f"picture/{id}/i"}
    return SD15.workflows[mode].bind({**usual, **values})


async def follow(run: Run) -> list[News]:
    """All its news."""
    return [news async for news in run]


async def made(client: Client, **values: object) -> list[News]:
    """The news of a run that ends well."""
    id = uuid4()
    async with client.run(id) as run:
        await run.submit(graph(id, **values), previews=False)  # type: ignore[arg-type]
        news = await follow(run)
    assert isinstance(news[-1], Finished)
    return news


async def failed(
    client: Client, error: type[EngineError] = EngineError, changed: Graph | None = None, **values: object
) -> EngineError:
    """How a run fails."""

    async def go() -> None:
        id = uuid4()
        async with client.run(id) as run:
            await run.submit(changed or graph(id, **values), previews=False)  # type: ignore[arg-type]
            await follow(run)

    with pytest.raises(error) as raised:
        await go()
    return raised.value
