"""Posts, downloads and cancels over an HTTP that breaks off, or that is not what it should be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from PIL import Image

from gpu import comfyui
from gpu.comfyui import Client
from gpu.engine import Finished
from gpu.errors import EngineError, EngineUnavailableError
from gpu.simulator import Engine
from tests.gpu.runs import QUICK, failed, made


@pytest.fixture
async def client(engine: Engine) -> AsyncIterator[Client]:
    async with comfyui.open_client(engine.url, engine.folder, QUICK) as client:
        yield client


def posted(engine: Engine) -> int:
    return sum(event["kind"] == "posted" for event in engine.journal.events)


async def test_a_stalled_server_is_not_a_dead_one(client: Client, engine: Engine) -> None:
    engine.add(do="stall", seconds=0.5, match={"path": "/prompt", "method": "POST"})
    await made(client)
    assert posted(engine) == 1


async def test_a_post_whose_answer_is_lost_is_not_repeated(client: Client, engine: Engine) -> None:
    engine.add(do="lose_answer", match={"path": "/prompt", "method": "POST"})
    await made(client)
    assert posted(engine) == 1


async def test_half_an_answer_to_a_post_is_not_repeated(client: Client, engine: Engine) -> None:
    engine.add(do="half_response", match={"path": "/prompt", "method": "POST"})
    await made(client)
    assert posted(engine) == 1


async def test_a_post_that_never_arrived_is_repeated(client: Client, engine: Engine) -> None:
    engine.add(do="http_500", match={"path": "/prompt", "method": "POST"})
    await made(client)
    assert posted(engine) == 1


async def test_an_engine_that_only_fails_is_given_up(client: Client, engine: Engine) -> None:
    engine.add(do="http_500", times=0, match={"path": "/prompt", "method": "POST"})
    assert (await failed(client, EngineUnavailableError)).code == "engine_unavailable"
    assert posted(engine) == 0


async def test_a_download_that_breaks_off_is_repeated(client: Client, engine: Engine, tmp_path: Path) -> None:
    finished = (await made(client))[-1]
    assert isinstance(finished, Finished)
    engine.add(do="half_response", match={"path": "/view"})
    engine.add(do="http_500", match={"path": "/view"})
    await client.download(finished.images[0], tmp_path / "whole.png")
    with Image.open(tmp_path / "whole.png") as image:
        image.load()


async def test_half_an_image_is_never_kept(client: Client, engine: Engine, tmp_path: Path) -> None:
    finished = (await made(client))[-1]
    assert isinstance(finished, Finished)
    engine.add(do="half_response", times=0, match={"path": "/view"})
    with pytest.raises(EngineUnavailableError):
        await client.download(finished.images[0], tmp_path / "half.png")
    assert not (tmp_path / "half.png").exists()


@asynccontextmanager
async def serve(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_server_that_is_no_comfyui_is_unavailable() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(["something", "else"])

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    patience = replace(QUICK, unreachable_seconds=0.1)
    async with serve(app) as url, comfyui.open_client(url, patience=patience) as client:
        with pytest.raises(EngineError) as raised:
            await client.stats()
        assert raised.value.code == "engine_unavailable"
        await failed(client, EngineUnavailableError)


class Older:
    """A ComfyUI without /api/jobs, as those of 2025 are: what cancels falls back to the queue and the interrupt."""

    def __init__(self, running: str, waiting: str) -> None:
        self.running, self.waiting = running, waiting
        self.calls: list[tuple[str, Any]] = []

    async def queue(self, request: web.Request) -> web.Response:
        items = {"queue_running": [[0, self.running, {}, {}, []]], "queue_pending": [[1, self.waiting, {}, {}, []]]}
        return web.json_response(items)

    async def history(self, request: web.Request) -> web.Response:
        return web.json_response({})

    async def command(self, request: web.Request) -> web.Response:
        self.calls.append((request.path, await request.json()))
        return web.Response()


async def test_an_older_engine_is_canceled_in_two_steps() -> None:
    ours, others = uuid4(), uuid4()
    older = Older(running=str(ours), waiting=str(others))
    app = web.Application()
    app.router.add_get("/queue", older.queue)
    app.router.add_get("/history/{id}", older.history)
    app.router.add_post("/queue", older.command)
    app.router.add_post("/interrupt", older.command)
    async with serve(app) as url, comfyui.open_client(url, patience=QUICK) as client:
        await client.cancel(ours)
        await client.cancel(others)
    assert older.calls == [
        ("/queue", {"delete": [str(ours)]}),
        ("/interrupt", {"prompt_id": str(ours)}),
        ("/queue", {"delete": [str(others)]}),
    ]
