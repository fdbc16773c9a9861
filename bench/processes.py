"""What the processes of each role have used."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds so far, by role, at a moment."""

    at: float
    cpu_seconds: Mapping[str, float]

    def since(self, earlier: "Usage") -> dict[str, float]:
        """CPU seconds that each role has used between the two."""
        return {role: seconds - earlier.cpu_seconds[role] for role, seconds in self.cpu_seconds.items()}


def usage(pids: Mapping[str, Sequence[int]]) -> Usage:
    """Now; children count, also those that have ended and been reaped."""
    return Usage(time.monotonic(), {role: sum(map(_cpu_seconds, listed)) for role, listed in pids.items()})


def memory_mib(pids: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """Resident memory; what Postgres' processes share is counted once, by the kernel's proportional set size."""
    return {role: sum(map(_memory_mib, listed)) for role, listed in pids.items()}


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _cpu_seconds(pid: int) -> float:
    seconds = 0.0
    for process in _family(pid):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def _memory_mib(pid: int) -> float:
    family = _family(pid)
    if len(family) == 1:
        return float(family[0].memory_info().rss) / MIB
    shared = 0.0
    for process in family:
        with suppress(psutil.NoSuchProcess):
            full = process.memory_full_info()
            shared += getattr(full, "pss", full.uss)
    return shared / MIB
