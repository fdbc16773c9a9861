"""The simulator as a process of its own: started, killed by itself, started again, stopped."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from tests.gpu.watching import graph

Start = Callable[[int], Awaitable[tuple[asyncio.subprocess.Process, str]]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Start an engine on a port that crashes once at the second step; its process and address."""
    script = tmp_path / "crash.toml"
    script.write_text('[[rule]]\ndo = "crash"\nat_step = 2\n')
    call = "import sys; from gpu.simulator import run; run('127.0.0.1', int(sys.argv[1]), 0, *sys.argv[2:])"
    places = (str(script), str(tmp_path / "engine"))
    started: list[asyncio.subprocess.Process] = []

    async def start(port: int) -> tuple[asyncio.subprocess.Process, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", call, str(port), *places, stdout=asyncio.subprocess.PIPE
        )
        started.append(process)
        assert process.stdout is not None
        return process, str(json.loads(await process.stdout.readline())["url"])

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_an_engine_crashes_once_and_ends_when_told(start: Start) -> None:
    process, url = await start(0)
    async with aiohttp.ClientSession(url) as http:
        async with http.post("/prompt", json={"prompt": graph()}) as response:
            assert response.status == 200
        assert await process.wait() == -signal.SIGKILL
        process, again = await start(int(url.rpartition(":")[2]))
        assert again == url
        async with http.post("/prompt", json={"prompt": graph()}) as response:
            prompt_id = (await response.json())["prompt_id"]
        async with http.get("/simulator/events?kind=finished&timeout=20") as response:
            assert [event["prompt_id"] for event in (await response.json())["events"]] == [prompt_id]
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
