"""Keeps the parts of a house running: what dies is started again, what is to end ends in order."""

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from picture.home import Process
from picture.processes import Command, Nursery, ended, now, reason, tail
from picture.trouble import Trouble

log = structlog.get_logger()

POLL_SECONDS = 0.02
GIVE_UP_AFTER = 3  # deaths of a part that has never been ready


class NotReadyError(Exception):
    """It does not answer yet."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process that is to run."""

    role: str
    command: Command
    address: str | None = None
    before: Callable[[], None] | None = None  # ahead of each start
    ready: Callable[[], Awaitable[None]] | None = None  # raises NotReadyError until it answers


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the supervisor waits for what."""

    first_pause_seconds: float = 0.2
    longest_pause_seconds: float = 10
    reset_seconds: float = 10  # what ran for this long begins with the first pause again
    start_seconds: float = 60
    stop_seconds: float = 10


@dataclass(slots=True, eq=False)
class _Kept:
    part: Part
    task: asyncio.Task[None] | None = None
    process: subprocess.Popen[bytes] | None = None
    started_at: str = ""
    restarts: int = 0
    was_ready: bool = False
    is_wanted: bool = True
    last_end: str = ""


class Supervisor:
    """Runs parts until it is told to stop. One per process, in one thread."""

    def __init__(self, patience: Patience, on_change: Callable[[], None], nursery: Nursery | None = None) -> None:
        self._patience = patience
        self._on_change = on_change
        self._nursery = nursery or Nursery()
        self._kept: list[_Kept] = []

    def processes(self, role: str) -> list[Process]:
        """What runs of this role now; not what has died and waits for its next start."""
        return [
            Process(kept.process.pid, kept.part.address, kept.started_at, kept.restarts)
            for kept in self._kept
            if kept.part.role == role and kept.process
        ]

    async def start(self, part: Part) -> None:
        """Start a part, keep it running, and return when it answers. Raises Trouble when it will not."""
        kept = _Kept(part)
        self._kept.append(kept)
        kept.task = asyncio.create_task(self._keep(kept))
        try:
            await asyncio.wait_for(self._until_ready(kept), self._patience.start_seconds)
        except TimeoutError as error:
            message = f"{part.role} did not answer within {self._patience.start_seconds:g} s."
            raise Trouble(_with_log(message, part)) from error

    async def stop(self, *roles: str) -> None:
        """End all parts of these roles at once, each in the way it likes, or by force after `stop_seconds`."""
        ending = [kept for kept in self._kept if kept.part.role in roles and kept.task]
        for kept in ending:
            kept.is_wanted = False
            if kept.process:
                kept.process.send_signal(kept.part.command.stop_signal)
            elif kept.task:
                kept.task.cancel()  # it waits for its next start
        tasks = [kept.task for kept in ending if kept.task]
        if tasks and (await asyncio.wait(tasks, timeout=self._patience.stop_seconds))[1]:
            self.kill(*roles)
            await asyncio.wait(tasks)
        self._kept = [kept for kept in self._kept if kept not in ending]
        self._on_change()

    def kill(self, *roles: str) -> None:
        """End them by force."""
        for kept in self._kept:
            if kept.part.role in roles and kept.process:
                log.warning("killed", role=kept.part.role, pid=kept.process.pid)
                kept.process.kill()

    def close(self) -> None:
        """When all parts have ended."""
        self._nursery.close()

    async def _until_ready(self, kept: _Kept) -> None:
        ready, wait = kept.part.ready, POLL_SECONDS
        while True:
            if kept.restarts >= GIVE_UP_AFTER:
                raise Trouble(_with_log(f"{kept.part.role} does not start ({kept.last_end}).", kept.part))
            if kept.task and kept.task.done():
                await kept.task  # raises what went wrong
            if kept.process:
                try:
                    if ready:
                        await ready()
                except NotReadyError:
                    pass
                else:
                    kept.was_ready = True
                    return
            await asyncio.sleep(wait)
            wait = min(wait * 1.3, 0.2)

    async def _keep(self, kept: _Kept) -> None:
        pause = self._patience.first_pause_seconds
        while True:
            began = time.monotonic()
            try:
                kept.last_end = reason(await self._run(kept))
            except (OSError, Trouble) as error:
                if not kept.was_ready:
                    raise Trouble(f"{kept.part.role} cannot be started: {error}") from error
                kept.last_end = str(error)
            if not kept.is_wanted:
                return
            if time.monotonic() - began >= self._patience.reset_seconds:
                pause = self._patience.first_pause_seconds
            kept.restarts += 1
            log.warning("ended", role=kept.part.role, reason=kept.last_end, again_in_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._patience.longest_pause_seconds)

    async def _run(self, kept: _Kept) -> int:
        """One life of a part; its exit status."""
        part = kept.part
        if part.before:
            part.before()
        kept.process = process = self._nursery.spawn(part.command)
        kept.started_at = now()
        log.info("started", role=part.role, pid=process.pid, address=part.address)
        self._on_change()
        try:
            return await ended(process)
        finally:
            kept.process = None
            self._nursery.reaped(process)
            self._on_change()


def _with_log(message: str, part: Part) -> str:
    said = tail(part.command.log)
    return f"{message} It says:\n{said}\nMore is in {part.command.log}." if said else message
