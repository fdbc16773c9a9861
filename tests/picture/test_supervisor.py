"""Parts are kept running, by small ones that are real processes."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from picture.processes import Command, Nursery
from picture.supervisor import NotReadyError, Part, Patience, Supervisor
from picture.trouble import Trouble

FOR_EVER = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {FOR_EVER}"
# What `picture up` is to its children, small enough to be killed in a test.
PARENT = """
import signal, sys
from picture.processes import Command, Nursery
child = Nursery(linux={linux}).spawn(Command([sys.executable, "-c", "import signal; signal.pause()"]))
print(child.pid, flush=True)
signal.pause()
"""

Change = asyncio.Event


@pytest.fixture
def change() -> Change:
    return asyncio.Event()


@pytest.fixture
async def supervisor(change: Change) -> AsyncIterator[Supervisor]:
    patience = Patience(
        first_pause_seconds=0.05, longest_pause_seconds=0.2, reset_seconds=60, start_seconds=20, stop_seconds=0.3
    )
    supervisor = Supervisor(patience, change.set)
    yield supervisor
    await supervisor.stop("a", "b")
    supervisor.close()


def part(tmp_path: Path, program: str, role: str = "a") -> Part:
    log = tmp_path / f"{role}.log"

    async def ready() -> None:
        if not log.exists() or "up" not in log.read_text():
            raise NotReadyError

    return Part(role, Command([sys.executable, "-c", program], log=log), "http://127.0.0.1:1", ready=ready)


async def until(condition: Callable[[], bool], change: Change) -> None:
    async with asyncio.timeout(20):
        while not condition():
            change.clear()
            await change.wait()


async def test_what_dies_is_started_again_and_the_reason_is_logged(
    supervisor: Supervisor, change: Change, tmp_path: Path
) -> None:
    await supervisor.start(part(tmp_path, FOR_EVER))
    first = supervisor.processes("a")[0]
    assert (first.address, first.restarts) == ("http://127.0.0.1:1", 0)
    with capture_logs() as logged:
        os.kill(first.pid, signal.SIGKILL)
        await until(lambda: [p.restarts for p in supervisor.processes("a")] == [1], change)
        os.kill(supervisor.processes("a")[0].pid, signal.SIGTERM)  # not ours: nobody asked it to end
        await until(lambda: [p.restarts for p in supervisor.processes("a")] == [2], change)
    again = supervisor.processes("a")[0]
    assert again.pid != first.pid
    assert again.address == first.address
    ended = [(line["reason"], line["again_in_seconds"]) for line in logged if line["event"] == "ended"]
    assert ended == [("signal SIGKILL", 0.05), ("signal SIGTERM", 0.1)]


async def test_what_does_not_start_is_given_up_with_what_it_said(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"(?s)a does not start \(exit status 3\).*no room"):
        await supervisor.start(part(tmp_path, "print('no room'); raise SystemExit(3)"))


async def test_a_program_that_is_missing_is_told(supervisor: Supervisor) -> None:
    with pytest.raises(Trouble, match=r"a cannot be started: .*/no/such/program"):
        await supervisor.start(Part("a", Command(["/no/such/program"])))


async def test_what_will_not_end_is_ended_by_force(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start(part(tmp_path, STUBBORN))
    process = psutil.Process(supervisor.processes("a")[0].pid)
    await supervisor.stop("a")
    assert not process.is_running()
    assert supervisor.processes("a") == []


async def test_what_waits_for_its_next_start_can_be_stopped(
    supervisor: Supervisor, change: Change, tmp_path: Path
) -> None:
    await supervisor.start(part(tmp_path, FOR_EVER))
    os.kill(supervisor.processes("a")[0].pid, signal.SIGKILL)
    await until(lambda: not supervisor.processes("a"), change)
    await supervisor.stop("a")
    assert supervisor.processes("a") == []


async def test_only_the_roles_that_are_named_are_stopped(supervisor: Supervisor, tmp_path: Path) -> None:
    await asyncio.gather(*(supervisor.start(part(tmp_path, FOR_EVER, role)) for role in ("a", "b")))
    await supervisor.stop("a")
    assert [len(supervisor.processes(role)) for role in ("a", "b")] == [0, 1]


@pytest.fixture(params=[pytest.param(True, id="by a death signal"), pytest.param(False, id="by a pipe")])
def family(request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    linux: bool = request.param
    if linux and sys.platform != "linux":
        pytest.skip("only Linux has death signals")
    arguments = [sys.executable, "-c", PARENT.format(linux=linux)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        yield parent, psutil.Process(int(parent.stdout.readline()))


def test_children_end_when_their_parent_is_killed(family: tuple[subprocess.Popen[str], psutil.Process]) -> None:
    parent, child = family
    parent.kill()
    parent.wait()
    assert psutil.wait_procs([child], timeout=5)[1] == []


def test_a_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"x" * 5_000_001)
    nursery = Nursery()
    nursery.spawn(Command([sys.executable, "-c", "print('anew')"], log=log)).wait()
    assert log.read_text() == "anew\n"
    assert (tmp_path / "a.old.log").stat().st_size == 5_000_001
