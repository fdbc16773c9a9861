"""Runs whose events fail them: lost and silent sockets, restarts, answers that break off."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from gpu import comfyui
from gpu.comfyui import Client
from gpu.engine import Finished, OutputImage, Staged
from gpu.errors import EngineError, EngineUnavailableError, InterruptedRunError, LostRunError, TimedOutError
from gpu.simulator import Engine
from tests.gpu.runs import QUICK, failed, follow, graph, made


@pytest.fixture
async def client(engine: Engine) -> AsyncIterator[Client]:
    async with comfyui.open_client(engine.url, engine.folder, QUICK) as client:
        yield client


async def test_a_run_outlives_its_socket_and_the_next_has_a_new_one(client: Client, engine: Engine) -> None:
    engine.add(do="drop_socket", at_step=2)
    assert isinstance((await made(client))[-1], Finished)
    news = await made(client, seed=8)
    assert Staged("decoding") in news  # told by events: a look shows no stages but the first


async def test_a_silent_socket_is_left(client: Client, engine: Engine) -> None:
    engine.add(do="silent_socket", at_step=2)
    assert isinstance((await made(client))[-1], Finished)
    assert Staged("decoding") in await made(client, seed=8)


async def test_a_run_that_was_interrupted_behind_our_back_is_seen(client: Client, engine: Engine) -> None:
    engine.add(do="silent_socket", at_step=1)
    engine.add(do="pause", at_step=2)
    id = uuid4()
    async with comfyui.open_client(engine.url) as another, client.run(id) as run:
        await run.submit(graph(id), previews=False)
        await engine.until("paused")
        await another.cancel(id)
        engine.release()
        with pytest.raises(InterruptedRunError) as raised:
            await follow(run)
    assert not raised.value.by_us


async def test_a_failure_behind_our_back_is_seen(client: Client, engine: Engine) -> None:
    engine.add(do="silent_socket", at_step=1)
    engine.add(do="node_error", at_step=2)
    error = await failed(client, EngineError)
    assert (error.code, bool(error.node)) == ("node_error", True)


async def test_loading_may_take_its_time(client: Client, engine: Engine) -> None:
    engine.add(do="slow_load", seconds=0.5)
    await made(client)


async def test_a_hang_is_given_up_and_interrupted(engine: Engine) -> None:
    engine.add(do="hang", at_step=2)
    patience = replace(QUICK, progress_timeout_seconds=0.3)
    async with comfyui.open_client(engine.url, patience=patience) as client:
        error = await failed(client, TimedOutError)
    assert (error.code, error.retryable) == ("timed_out", True)
    assert await engine.until("interrupt")  # so that the next one need not wait behind it


async def test_an_attempt_has_an_end_even_unseen(engine: Engine) -> None:
    engine.add(do="drop_socket", at_step=1)
    engine.add(do="hang", at_step=2)
    patience = replace(QUICK, attempt_timeout_seconds=0.5)
    async with comfyui.open_client(engine.url, patience=patience) as client:
        await failed(client, TimedOutError)


async def test_waiting_behind_anothers_run_is_no_silence(engine: Engine) -> None:
    engine.add(do="pause", at_step=2)
    patience = replace(QUICK, progress_timeout_seconds=0.3)
    first, second = uuid4(), uuid4()
    async with (
        comfyui.open_client(engine.url, patience=QUICK) as other,
        comfyui.open_client(engine.url, patience=patience) as client,
        other.run(first) as running,
        client.run(second) as waiting,
    ):
        await running.submit(graph(first), previews=False)
        await engine.until("paused")
        await waiting.submit(graph(second), previews=False)
        following = asyncio.create_task(follow(waiting))
        assert not (await asyncio.wait({following}, timeout=0.6))[0]
        engine.release()
        assert isinstance((await following)[-1], Finished)


async def test_a_restart_loses_the_run_and_the_next_one_works(client: Client, engine: Engine) -> None:
    engine.add(do="pause", at_step=2)
    id = uuid4()
    async with client.run(id) as run:
        await run.submit(graph(id), previews=False)
        await engine.until("paused")
        following = asyncio.create_task(follow(run))
        await engine.restart()
        with pytest.raises(LostRunError) as raised:
            await following
    assert (raised.value.code, raised.value.retryable) == ("engine_unavailable", True)
    await made(client)


@asynccontextmanager
async def process(folder: Path, port: int) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """An engine with a process of its own to lose, and its address."""
    code = "import sys, pathlib, gpu.simulator as s; s.run(port=int(sys.argv[1]), folder=pathlib.Path(sys.argv[2]))"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(port), str(folder), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout
        yield process, orjson.loads(await process.stdout.readline())["url"]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_killed_process_loses_the_run(tmp_path: Path) -> None:
    id, patience = uuid4(), replace(QUICK, unreachable_seconds=60)
    async with (
        process(tmp_path, 0) as (first, url),
        comfyui.open_client(url, tmp_path, patience) as client,
        client.run(id) as run,
    ):
        await run.submit(graph(id, steps=10_000), previews=False)
        news = aiter(run)
        assert await anext(news) == Staged("preparing")
        first.kill()
        await first.wait()
        async with process(tmp_path, int(url.rpartition(":")[2])):
            with pytest.raises(LostRunError):
                _ = [item async for item in news]
            await made(client)


async def test_an_engine_that_stays_away_is_given_up(engine: Engine) -> None:
    engine.add(do="crash", at_step=2)
    patience = replace(QUICK, unreachable_seconds=0.3)
    async with comfyui.open_client(engine.url, patience=patience) as client:
        assert (await failed(client, EngineUnavailableError)).code == "engine_unavailable"
        assert (await failed(client, EngineUnavailableError)).code == "engine_unavailable"


async def test_an_engine_may_come_later_than_its_client(engine: Engine) -> None:
    await engine.crash()
    async with comfyui.open_client(engine.url, patience=QUICK) as client:
        making = asyncio.create_task(made(client))
        await engine.start()
        await making


async def test_a_dead_worker_thread_is_seen(client: Client, engine: Engine) -> None:
    engine.add(do="dead_worker")
    error = await failed(client, EngineUnavailableError)
    assert (error.code, error.restart_needed, error.retryable) == ("engine_unavailable", True, True)


async def test_a_look_that_fails_is_repeated(client: Client, engine: Engine) -> None:
    engine.add(do="drop_socket", at_step=1)
    engine.add(do="http_500", times=3, match={"path": "/queue"})
    engine.add(do="half_response", times=2, match={"path": "/history"})
    await made(client)


async def test_a_lost_history_is_a_lost_run(client: Client, engine: Engine) -> None:
    engine.add(do="drop_socket", at_step=1)
    engine.add(do="lose_history")
    await failed(client, LostRunError)


async def test_a_lost_history_matters_to_nobody_who_heard_the_end(client: Client, engine: Engine) -> None:
    engine.add(do="lose_history")
    await made(client)


async def test_a_run_is_adopted_while_it_runs(client: Client, engine: Engine) -> None:
    engine.add(do="pause", at_step=2)
    id = uuid4()
    async with comfyui.open_client(engine.url) as former, former.run(id) as run:
        await run.submit(graph(id), previews=False)
        await engine.until("paused")
    async with client.run(id) as run:
        assert await run.adopt()
        engine.release()
        news = await follow(run)
    assert news[-1] == Finished((OutputImage("i_00001_.png", f"picture/{id}", "output"),))


async def test_a_run_is_adopted_after_its_end(client: Client, engine: Engine) -> None:
    id = uuid4()
    async with comfyui.open_client(engine.url) as former, former.run(id) as run:
        await run.submit(graph(id), previews=False)
        await engine.until("finished")
    async with client.run(id) as run:
        assert await run.adopt()
        assert isinstance((await follow(run))[-1], Finished)


async def test_a_run_is_adopted_while_it_waits_and_then_canceled(client: Client, engine: Engine) -> None:
    engine.add(do="pause", at_step=2)
    first, second = uuid4(), uuid4()
    async with comfyui.open_client(engine.url) as former, former.run(first) as run, former.run(second) as other:
        await run.submit(graph(first), previews=False)
        await engine.until("paused")
        await other.submit(graph(second), previews=False)
    async with client.run(second) as run:
        assert await run.adopt()
        await client.cancel(second)
        with pytest.raises(InterruptedRunError) as raised:
            await follow(run)
    assert raised.value.by_us


async def test_nothing_is_adopted_that_the_engine_does_not_know(client: Client) -> None:
    async with client.run(uuid4()) as run:
        assert not await run.adopt()
