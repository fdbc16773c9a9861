"""How long a client waits while others attack, beside how long it waits alone."""

import asyncio
import statistics
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from rich.console import Console

from bench import data, figures, processes
from bench.house import ROOT
from bench.load import steadily
from bench.options import Options, machine
from bench.people import BenchError
from bench.stage import Server, Stage, open_stage
from bench.workloads import Workloads, open_workloads
from schema.node import global_id

ATTACKERS = 4
PER_SECOND = 20
MOST = 2.0  # times as long as alone, at the 99th percentile
ALONE, BESIDE = "alone", "beside attackers"
# As it is delivered, where the bench otherwise lifts them.
LIMITS = {
    "PICTURE_GENERATIONS_PER_HOUR": "20",
    "PICTURE_GENERATIONS_PER_DAY": "100",
    "PICTURE_STORAGE_BYTES": "5000000000",
    "PICTURE_OPERATIONS_PER_MINUTE": "1200",
    "PICTURE_OPERATIONS_PER_MINUTE_PER_ADDRESS": "12000",
}
SOME = """
    select (select id from image_generations where user_id <> $1 limit 1) as theirs,
        (select publication_id from images where is_public and hidden_at is null limit 1) as published
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How long each of both lasts, and how often; the first round is not counted."""

    rounds: int = 6
    seconds: float = 15


QUICK = Size(rounds=3, seconds=8)


@dataclass(slots=True)
class Report:
    """Latencies in ms, what the attackers did, and what it took."""

    machine: str
    is_pinned: bool
    latencies: dict[str, dict[str, float]] = field(default_factory=dict)
    ratio_of_rounds: float = 0.0
    done: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    slowest: tuple[float, str] = (0.0, "")
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    memory_mib: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """How much longer the client waits, at the 99th percentile of all rounds."""
        return self.latencies[BESIDE]["p99"] / self.latencies[ALONE]["p99"]


async def measure(options: Options) -> Report:
    """Rounds of both, in turns."""
    size = QUICK if options.quick else Size()
    async with open_stage(options.home) as stage:
        options.say("making the data")
        database = await stage.database(data.Size())
        workloads = await open_workloads(database.admin)
        theirs = await _theirs(database.admin)
        async with stage.picture(database, "attacked", LIMITS) as server, _attackers(server, *theirs) as attackers:
            return await _rounds(options, size, stage, server, workloads, attackers)


async def _rounds(
    options: Options, size: Size, stage: Stage, server: Server, workloads: Workloads, attackers: "Attackers"
) -> Report:
    report, took = Report(machine(), stage.is_pinned), {ALONE: [], BESIDE: []}  # type: ignore[var-annotated]
    done: Counter[str] = Counter()
    began = peak_mib(server)
    for number in range(size.rounds):
        for name in (ALONE, BESIDE):
            options.say(f"round {number + 1} of {size.rounds}, {name}")
            before = processes.usage(server.pids)
            if name is BESIDE:
                await attackers.go()
            found = await steadily(server, workloads["mine"], PER_SECOND, int(PER_SECOND * size.seconds))
            if name is BESIDE:
                told = await attackers.stop()
                done.update(told["done"])
                report.failed |= told["failed"]
                report.slowest = max(report.slowest, tuple(told["slowest"]))
                report.cpu_seconds = processes.usage(server.pids).since(before)
            if number:
                took[name].append(found)
    report.latencies = {
        name: figures.milliseconds(each for some in found for each in some) for name, found in took.items()
    }
    report.ratio_of_rounds = statistics.median(
        figures.spread(beside)["p99"] / figures.spread(alone)["p99"]
        for beside, alone in zip(took[BESIDE], took[ALONE], strict=True)
    )
    report.done = dict(done)
    report.memory_mib = {"before": began, "at most": peak_mib(server)}
    return report


@dataclass(frozen=True, slots=True)
class Attackers:
    """Their process."""

    process: asyncio.subprocess.Process

    async def go(self) -> None:
        """Let them."""
        await self._tell(b"go\n")

    async def stop(self) -> dict[str, Any]:
        """Make them wait; what they have done."""
        await self._tell(b"stop\n")
        told: dict[str, Any] = orjson.loads(await self.line())
        return told

    async def line(self) -> bytes:
        """What they say next."""
        assert self.process.stdout
        if not (line := await self.process.stdout.readline()):
            raise BenchError("Those who attack have died on the way.")
        return line

    async def _tell(self, word: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(word)
        await self.process.stdin.drain()


@asynccontextmanager
async def _attackers(server: Server, theirs: str, published: str) -> AsyncIterator[Attackers]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.attackers", server.url, str(ATTACKERS), theirs, published,
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        attackers = Attackers(process)
        await attackers.line()
        yield attackers
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _theirs(admin_url: str) -> tuple[str, str]:
    admin = await asyncpg.connect(admin_url)
    try:
        found = await admin.fetchrow(SOME, (await data.askers(admin))[0])
    finally:
        await admin.close()
    return global_id("Generation", found["theirs"]), str(found["published"])


def peak_mib(server: Server) -> float:
    """The most that the server has ever held, where the system tells."""
    total = 0
    for pid in server.pids["server"]:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines() if sys.platform == "linux" else []
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return total / 1024


def show(console: Console, report: Report) -> None:
    """As tables."""
    apart = "servers, Postgres and Redis on one core, clients on another" if report.is_pinned else "nothing is pinned"
    console.print(f"{report.machine}; {apart}; {ATTACKERS} attackers, each with an address and an account\n")
    rows = figures.rows_of(report.latencies)
    figures.show(console, f"A page of 50 images, {PER_SECOND} a second", rows, "median, ms", "p99, ms", "of")
    verdict = "yes" if report.ratio <= MOST else "NO"
    rounds = f"median of the rounds' own: {report.ratio_of_rounds:.2f}"
    console.print(f"p99 beside attackers / alone: {report.ratio:.2f} ({rounds}); at most {MOST}: {verdict}\n")
    figures.show(console, "Attacks", [*report.done.items(), ("all", sum(report.done.values()))], "sent")
    slowest = f"the slowest took {report.slowest[0]:.1f} s: {report.slowest[1]}"
    console.print(f"answered by a 5xx: {report.failed or 'none'}; {slowest}\n")
    figures.show(console, "CPU in the last round", list(report.cpu_seconds.items()), "seconds")
    figures.show(console, "Memory of the API", list(report.memory_mib.items()), "MiB")
