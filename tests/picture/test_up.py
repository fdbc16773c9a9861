"""`picture up`, whole."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import psutil
import pytest
from PIL import Image

from picture.home import ROLES
from tests.crash.up import ROOT, Up, open_up


@pytest.fixture(scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    async with open_up(tmp_path_factory.mktemp("up") / "home") as up:
        yield up


async def refused(up: Up, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "picture", *arguments, env=up.environment, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    return said.decode()


async def test_every_role_runs_and_is_listed(up: Up) -> None:
    listed = orjson.loads(await up.command("ps", "--json"))
    assert list(listed) == list(ROLES)
    for processes in listed.values():
        assert [sorted(process) for process in processes] == [["address", "pid", "restarts", "started_at"]]
        assert all(psutil.pid_exists(process["pid"]) for process in processes)


async def test_a_second_one_in_the_same_home_is_refused_in_words(up: Up) -> None:
    assert "already runs" in await refused(up, "up")


@pytest.mark.parametrize("role", ["api", "engine", "redis", "scheduler"])
async def test_what_is_killed_comes_back_at_the_same_address(up: Up, role: str) -> None:
    before = orjson.loads(await up.command("ps", "--json"))[role][0]
    os.kill(before["pid"], signal.SIGKILL)
    await up.until_replaced(role, before["pid"])
    after = orjson.loads(await up.command("ps", "--json"))[role][0]
    assert (after["address"], after["restarts"]) == (before["address"], before["restarts"] + 1)
    assert '"reason":"signal SIGKILL"' in up.home.with_suffix(".log").read_text()


async def test_commands_find_what_runs_and_the_demo_paints_with_it(up: Up, tmp_path: Path) -> None:
    assert "0 do not work" in await said(up, "doctor", tmp_path)
    await said(up, "demo", tmp_path, "a red fox")
    with Image.open(tmp_path / "picture-demo.webp") as picture:
        assert picture.format == "WEBP"
    assert len((await up.command("storage", "ls")).split()) == 3


async def said(up: Up, name: str, folder: Path, *arguments: str) -> str:
    """What a command prints that is given in another folder."""
    environment = {**up.environment, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "picture", name, *arguments, env=environment, cwd=folder,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


async def test_a_killed_one_takes_everything_with_it_and_the_next_one_ends_in_order(tmp_path: Path) -> None:
    async with open_up(tmp_path / "home") as first:
        children = psutil.Process(first.process.pid).children(recursive=True)
        redis = first.url("redis_url")
        first.process.kill()
        await first.process.wait()
        left = await asyncio.to_thread(psutil.wait_procs, children, 10)
        assert left[1] == []
    async with open_up(tmp_path / "home") as second:
        assert second.url("redis_url") == redis
        children = psutil.Process(second.process.pid).children(recursive=True)
        await second.command("down")
        assert await second.process.wait() == 0
        assert not any(child.is_running() for child in children)
        assert '"event":"killed"' not in second.home.with_suffix(".log").read_text()
        assert not (second.home / "run.json").exists()
