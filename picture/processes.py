"""Child processes that end with us, however we end."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import psutil

PR_SET_PDEATHSIG = 1
LOG_BYTES = 5_000_000
TAIL_LINES = 8


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a child runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Command:
    """How a child is started, stopped, and ended with us."""

    arguments: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    account: Account | None = None
    pass_fds: tuple[int, ...] = ()
    log: Path | None = None  # None: it writes where we do
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL


class Nursery:
    """Starts children, and sees that none outlives this process."""

    def __init__(self, *, linux: bool = sys.platform == "linux") -> None:
        self._libc = ctypes.CDLL(None, use_errno=True) if linux else None
        self._keeper: subprocess.Popen[bytes] | None = None

    def spawn(self, command: Command) -> subprocess.Popen[bytes]:
        """Start it, out of reach of the terminal's Ctrl-C. Call from one thread: on Linux children die with that."""
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(_open_log(command.log)) if command.log else None
            account = command.account
            process = subprocess.Popen(  # noqa: S603 - the arguments are ours
                command.arguments,
                env=dict(command.env),
                cwd=command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                start_new_session=True,
                pass_fds=command.pass_fds,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                preexec_fn=self._ending_with_us(command.death_signal) if self._libc else None,
            )
        if not self._libc:
            self._tell(f"{process.pid} {int(command.death_signal)}")
        return process

    def reaped(self, process: subprocess.Popen[bytes]) -> None:
        """Its number may be somebody else's from now on."""
        if self._keeper:
            self._tell(f"{process.pid} 0")

    def close(self) -> None:
        """When all children have ended."""
        if self._keeper and self._keeper.stdin:
            self._keeper.stdin.close()
            self._keeper.wait()
            self._keeper = None

    def _ending_with_us(self, death: signal.Signals) -> Callable[[], None]:
        libc, parent = self._libc, os.getpid()
        assert libc

        def arm() -> None:
            if libc.prctl(PR_SET_PDEATHSIG, int(death)) or os.getppid() != parent:
                os._exit(1)

        return arm

    def _tell(self, line: str) -> None:
        # Elsewhere a small process holds a pipe of ours: its end says that we are gone.
        if self._keeper is None:
            self._keeper = subprocess.Popen(  # noqa: S603
                [sys.executable, "-S", str(Path(__file__).with_name("keeper.py"))],
                stdin=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        assert self._keeper.stdin
        self._keeper.stdin.write(f"{line}\n".encode())
        self._keeper.stdin.flush()


async def ended(process: subprocess.Popen[bytes]) -> int:
    """The exit status, once there is one; without a thread, where the system can."""
    if not hasattr(os, "pidfd_open"):
        return await asyncio.to_thread(process.wait)
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    try:
        number = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return process.wait()
    loop.add_reader(number, done.set)
    try:
        await done.wait()
    finally:
        loop.remove_reader(number)
        os.close(number)
    return process.wait()


def reason(status: int) -> str:
    """How a child ended, in words."""
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def tail(log: Path | None) -> str:
    """The last lines of a log, or nothing."""
    if log is None or not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4000))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-TAIL_LINES:])


def working_in(folder: Path) -> list[psutil.Process]:
    """The processes that have `folder` as their own; those of others are not to be seen."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if folder.samefile(process.cwd()):
                found.append(process)
    return found


def end_all(processes: list[psutil.Process], number: signal.Signals, seconds: float) -> None:
    """Signal them, and kill those that are still there after a while."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    for process in psutil.wait_procs(processes, seconds)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, seconds)


def _open_log(path: Path) -> BinaryIO:
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".old.log"))
    return path.open("ab")


def now() -> str:
    """This moment, as `ps` shows it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
