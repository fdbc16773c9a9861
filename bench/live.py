"""What watching costs: events to a thousand sockets, one event to all of one person's, and sockets that wait."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from statistics import mean
from typing import Any

from redis.asyncio import Redis
from rich.console import Console

from bench import data, figures, processes, targets
from bench.load import flood
from bench.options import Options, machine
from bench.people import BenchError
from bench.stage import Server, open_stage
from bench.targets import Target, Verdict
from bench.watched import NAMESPACE, Teller, open_watched
from bench.wires import Wires
from bench.workloads import open_workloads, token
from db.tables import GenerationRow
from schema.node import global_id

WATCH = """subscription Watch($id: ID!) { generationEvents(id: $id) { __typename cursor at
  generation { id status stage progress attempt } ... on GenerationProgressed { step steps etaSeconds } } }"""
AT = re.compile(rb'"at":"([^"]+)"')
TICK_SECONDS = 0.001
POLL_SECONDS = 0.005
FAN_PAUSE_SECONDS = 0.3
UNIT_SECONDS = 5
SETTLE_SECONDS = 1.0
LIMITS = {
    "PICTURE_NAMESPACE": NAMESPACE,
    "PICTURE_MAX_SOCKETS": "100000",
    "PICTURE_MAX_SOCKETS_PER_ADDRESS": "100000",
    "PICTURE_CONNECTIONS_PER_MINUTE": "0",
    "PICTURE_CONNECTIONS_PER_MINUTE_PER_ADDRESS": "0",
}


@dataclass(frozen=True, slots=True)
class Size:
    """How much is watched and told."""

    sockets: int = 1000
    rates: Sequence[int] = (500, 1000, 2000)
    seconds: float = 8
    fan_outs: int = 20


QUICK = Size(sockets=200, rates=(500,), seconds=2, fan_outs=5)
LATENCY = Target("2,000 events/s, p99", "ms", 25, 10)
CPU = Target("2,000 events/s, CPU an event", "x NestJS", 2.5, 1)
FAN_OUT = Target("one event to 1,000 sockets, the last", "ms", 250, 60)
MEMORY = Target("a socket that watches", "KiB", 60, 40)
CONNECTS = Target("connects", "a second", 700, 1000, more_is_better=True)


@dataclass(slots=True)
class Report:
    """All that was found; CPU and latencies in ms, memory in KiB."""

    machine: str
    is_pinned: bool
    events: dict[str, dict[str, float]] = field(default_factory=dict)  # by how many a second
    fan_out: dict[str, float] = field(default_factory=dict)
    sockets: dict[str, float] = field(default_factory=dict)
    bare_ms: list[float] = field(default_factory=list)  # CPU of the limit's page of a gallery, before and after
    verdicts: list[Verdict] = field(default_factory=list)


class Ears:
    """When what arrived had been sent."""

    def __init__(self) -> None:
        self.latencies: list[float] = []

    def hear(self, number: int, frame: bytes) -> None:
        """Take the time of one event; what else comes has none."""
        if at := AT.search(frame):
            self.latencies.append(time.time() - datetime.fromisoformat(at[1].decode()).timestamp())

    async def until(self, count: int, seconds: float = 10) -> None:
        """Wait until so many have come, or it is plain that they will not."""
        ends_at = time.perf_counter() + seconds
        while len(self.latencies) < count and time.perf_counter() < ends_at:  # noqa: ASYNC110 - hearing stays cheap
            await asyncio.sleep(POLL_SECONDS)


async def measure(options: Options) -> Report:
    """Start what is needed, watch and tell, end it."""
    size = QUICK if options.quick else Size()
    async with open_stage(options.home) as stage, open_watched(stage, size.sockets) as (database, rows):
        report = Report(machine(), stage.is_pinned)
        options.say("making the data of the unit")
        unit = await stage.database(data.Size())
        pages = (await open_workloads(unit.admin))["mine"]
        async with (
            stage.bare(unit) as bare,
            stage.picture(database, "live", LIMITS) as server,
            Redis.from_url(stage.house.settings.require("redis_url")) as redis,
        ):
            bench = Bench(size, report, server, redis)
            options.say("the unit")
            report.bare_ms.append((await flood(bare, pages, UNIT_SECONDS)).total)
            options.say("a thousand who watch")
            await bench.many(rows)
            options.say("the unit")
            report.bare_ms.append((await flood(bare, pages, UNIT_SECONDS)).total)
            options.say("one who watches a thousand times")
            await bench.one(rows[0])
    report.verdicts = list(_judge(report))
    return report


@dataclass(frozen=True, slots=True)
class Bench:
    """The measurements, one after the other; each goes into the report."""

    size: Size
    report: Report
    server: Server
    redis: Redis

    async def many(self, rows: Sequence[GenerationRow]) -> None:
        """Everybody watches a generation of their own, first in silence, then at each rate."""
        ears = Ears()
        wires = Wires(self.server.url, ears.hear)
        await self._warm_up(rows)
        before = self._memory()
        usages = [processes.usage(self.server.pids)]
        opening = await wires.open([token(row.user_id) for row in rows])
        connected = self._memory()
        usages.append(processes.usage(self.server.pids))
        beginning = await wires.subscribe(WATCH, [_variables(row) for row in rows])
        watching = self._memory()
        usages.append(processes.usage(self.server.pids))
        connect, subscribe = (sum(after.since(before).values()) for before, after in pairwise(usages))
        self.report.sockets = {
            "connects_per_second": len(rows) / opening,
            "connect_cpu_ms": 1000 * connect / len(rows),
            "subscribes_per_second": len(rows) / beginning,
            "subscribe_cpu_ms": 1000 * subscribe / len(rows),
            "connected_kib": (connected - before) / len(rows),
            "watching_kib": (watching - before) / len(rows),
        }
        teller = Teller(self.redis, rows)
        for rate in self.size.rates:
            await asyncio.sleep(SETTLE_SECONDS)
            self.report.events[str(rate)] = await self._at(rate, teller, ears)
        self.report.sockets["after_events_kib"] = (self._memory() - before) / len(rows)
        wires.close()
        await asyncio.sleep(SETTLE_SECONDS)

    async def _warm_up(self, rows: Sequence[GenerationRow]) -> None:
        """What the first sockets and events make for good is no socket's."""
        ears = Ears()
        wires = Wires(self.server.url, ears.hear)
        some = rows[:20]
        await wires.open([token(row.user_id) for row in some])
        await wires.subscribe(WATCH, [_variables(row) for row in some])
        wires.close()
        await asyncio.sleep(SETTLE_SECONDS)

    async def _at(self, rate: int, teller: Teller, ears: Ears) -> dict[str, float]:
        """So many events a second, evenly."""
        ears.latencies.clear()
        count, told = int(rate * self.size.seconds), 0
        before, mine = processes.usage(self.server.pids), time.process_time()
        began = time.perf_counter()
        while told < count:
            due = min(int((time.perf_counter() - began) * rate) + 1, count)
            await teller.tell(due - told)
            told = due
            await asyncio.sleep(TICK_SECONDS)
        took = time.perf_counter() - began
        await ears.until(count)
        cpu = processes.usage(self.server.pids).since(before)
        spread = figures.milliseconds(ears.latencies)
        return {
            "told": count,
            "heard": spread["count"],
            "per_second": count / took,
            "cpu_ms": 1000 * sum(cpu.values()) / count,
            **{f"{role}_ms": 1000 * seconds / count for role, seconds in cpu.items()},
            "median_ms": spread["median"],
            "p99_ms": spread["p99"],
            "bench_ms": 1000 * (time.process_time() - mine) / count,
        }

    async def one(self, row: GenerationRow) -> None:
        """All sockets are one person's, and watch one generation."""
        ears = Ears()
        wires = Wires(self.server.url, ears.hear)
        count = self.size.sockets
        await wires.open([token(row.user_id)] * count)
        await wires.subscribe(WATCH, [_variables(row)] * count)
        teller, last, latencies = Teller(self.redis, [row]), [], []
        before = processes.usage(self.server.pids)
        for _ in range(self.size.fan_outs):
            await asyncio.sleep(FAN_PAUSE_SECONDS)
            ears.latencies.clear()
            await teller.tell(1)
            await ears.until(count)
            if len(ears.latencies) < count:
                raise BenchError(f"Of {count} sockets {len(ears.latencies)} have heard.")
            last.append(max(ears.latencies))
            latencies += ears.latencies
        cpu = processes.usage(self.server.pids).since(before)
        spread, ends = figures.milliseconds(latencies), figures.milliseconds(last)
        self.report.fan_out = {
            "median_ms": spread["median"],
            "p99_ms": spread["p99"],
            "last_median_ms": ends["median"],
            "last_worst_ms": ends["p99"],
            "cpu_ms": 1000 * sum(cpu.values()) / self.size.fan_outs / count,
        }
        wires.close()

    def _memory(self) -> float:
        """The server's, in KiB."""
        return 1024 * processes.memory_mib({"server": self.server.pids["server"]})["server"]


def _variables(row: GenerationRow) -> dict[str, Any]:
    return {"id": global_id("Generation", row.id)}


def _judge(report: Report) -> Sequence[Verdict]:
    verdicts = [
        FAN_OUT.judge(report.fan_out["last_median_ms"]),
        MEMORY.judge(report.sockets["watching_kib"]),
        CONNECTS.judge(report.sockets["connects_per_second"]),
    ]
    if fast := report.events.get("2000"):
        verdicts += [
            LATENCY.judge(fast["p99_ms"]),
            CPU.judge(fast["cpu_ms"] / mean(report.bare_ms) / targets.NEST_EVENT),
        ]
    return verdicts


def show(console: Console, report: Report) -> None:
    """All of it, as tables."""
    console.print(f"{report.machine}{'' if report.is_pinned else '; servers and bench share cores'}\n")
    columns = (
        "heard",
        "per_second",
        "cpu_ms",
        "server_ms",
        "redis_ms",
        "postgres_ms",
        "median_ms",
        "p99_ms",
        "bench_ms",
    )
    rows = [(f"{rate} a second", *(each[name] for name in columns)) for rate, each in report.events.items()]
    figures.show(console, "Events to as many sockets as people; CPU in ms an event", rows, *columns)
    figures.show(console, "One event to all sockets of one person", list(report.fan_out.items()), "ms")
    unit = ", ".join(f"{each:.2f}" for each in report.bare_ms)
    console.print(f"bare's page of a gallery, the unit, before and after: {unit} ms of CPU\n")
    figures.show(console, "Sockets", list(report.sockets.items()), "")
    targets.show(console, report.verdicts)
