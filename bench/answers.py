"""What a request costs: a page of a gallery, a generation, a create, and all of these, beside the bare limit."""

import statistics
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import orjson
from rich.console import Console

from bench import data, figures, processes, targets
from bench.load import Flood, connected, flood, steadily
from bench.options import Options, machine
from bench.people import BenchError
from bench.stage import Addresses, Server, Stage, open_stage
from bench.targets import Target, Verdict
from bench.workloads import Workloads, open_workloads

SECTIONS = ("gallery", "generation", "create", "mixed")
BARE, PICTURE, RESOLVERS = "bare", "picture", "picture, resolvers"
# Which loads a section needs, as (server, workload); bare's own gallery is the unit of all.
UNIT = (BARE, "mine")
LOADS = {
    "gallery": [(PICTURE, "mine"), (RESOLVERS, "mine"), (BARE, "public"), (PICTURE, "public"), (RESOLVERS, "public")],
    "generation": [(PICTURE, "generation"), (RESOLVERS, "generation")],
    "create": [(PICTURE, "create")],
    "mixed": [(PICTURE, "mixed"), (RESOLVERS, "mixed")],
}
WITHOUT_PLANS = {"PICTURE_PLANS": "false"}
STEADY_PER_SECOND = 20
COMPARED = ("mine", "public")
Load = tuple[str, str]
NAMES = {
    "mine": "gallery",
    "public": "public gallery",
    "generation": "generation",
    "create": "create",
    "mixed": "mixed traffic",
}


@dataclass(frozen=True, slots=True)
class Size:
    """How much is asked."""

    rounds: int = 5
    seconds: float = 3
    steady: int = 60  # a round


QUICK = Size(rounds=2, seconds=1, steady=20)


@dataclass(slots=True)
class Report:
    """All that was found, by "server: workload"; CPU and latencies in ms, memory in MiB."""

    machine: str
    is_pinned: bool
    floods: dict[str, dict[str, float]] = field(default_factory=dict)
    steady: dict[str, dict[str, float]] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)


async def measure(options: Options) -> Report:
    """Start what is needed, load it in turns, end it."""
    size = QUICK if options.quick else Size()
    wanted = [UNIT, *(load for section in options.sections for load in LOADS[section])]
    async with open_stage(options.home) as stage:
        options.say("making the data")
        database = await stage.database(data.Size())
        workloads = await open_workloads(database.admin)
        async with open_servers(stage, database) as servers:
            run = Run(servers, workloads, size)
            await run.compare(wanted)
            for number in range(size.rounds):
                await run.round(wanted, partial(options.say, f"round {number + 1} of {size.rounds}"))
            return run.report(Report(machine(), stage.is_pinned), options.sections)


@asynccontextmanager
async def open_servers(stage: Stage, database: Addresses) -> AsyncIterator[Mapping[str, Server]]:
    """Picture as it is delivered, Picture whose resolvers do all of it, and the limit."""
    async with (
        stage.picture(database) as picture,
        stage.picture(database, "resolvers", WITHOUT_PLANS) as resolvers,
        stage.bare(database) as bare,
    ):
        yield {PICTURE: picture, RESOLVERS: resolvers, BARE: bare}


@dataclass(slots=True)
class Run:
    """Rounds, in each of which every load has its turn."""

    servers: Mapping[str, Server]
    workloads: Workloads
    size: Size
    floods: defaultdict[Load, list[Flood]] = field(default_factory=lambda: defaultdict(list))
    latencies: defaultdict[Load, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def compare(self, loads: Sequence[Load]) -> None:
        """See that who is asked for a page answers as the limit does. Raises BenchError."""
        for server, workload in loads:
            for request in self.workloads[workload] if workload in COMPARED else ():
                answers = []
                for name in (BARE, server):
                    async with connected(self.servers[name]) as connection:
                        answers.append(orjson.loads(await connection.ask(request)))
                if answers[0] != answers[1]:
                    raise BenchError(f"{server} and {BARE} differ: {difference(*answers)}")

    async def round(self, loads: Sequence[Load], say: Callable[[], None]) -> None:
        """Each load at full speed, then pages of a gallery at a rate that leaves time to breathe."""
        say()
        for load in loads:
            server, workload = load
            self.floods[load].append(await flood(self.servers[server], self.workloads[workload], self.size.seconds))
        for load in dict.fromkeys([UNIT, *(load for load in loads if load[1] == "mine")]):
            server, workload = load
            took = await steadily(self.servers[server], self.workloads[workload], STEADY_PER_SECOND, self.size.steady)
            self.latencies[load].extend(took)

    def report(self, report: Report, sections: Sequence[str]) -> Report:
        """Medians of the rounds."""
        for load in self.floods:
            report.floods[named(load)] = self._figures(load)
        report.steady = {named(load): figures.milliseconds(took) for load, took in self.latencies.items()}
        report.memory = processes.memory_mib({name: server.pids["server"] for name, server in self.servers.items()})
        report.verdicts = [target.judge(found) for target, found in self._targets()]
        return report

    def _figures(self, load: Load) -> dict[str, float]:
        rounds = self.floods[load]
        cpu = {role: statistics.median(each.cpu_ms[role] for each in rounds) for role in rounds[0].cpu_ms}
        latencies = figures.milliseconds(latency for each in rounds for latency in each.latencies)
        return {
            "cpu_ms": statistics.median(each.total for each in rounds),
            **cpu,
            "x_bare": self.ratio(load, UNIT),
            "per_second": statistics.median(each.per_second for each in rounds),
            "median_ms": latencies["median"],
            "p99_ms": latencies["p99"],
        }

    def ratio(self, load: Load, to: Load, of: Callable[[Flood], float] | None = None) -> float:
        """The median of the rounds' own ratios: what slows a whole round down does not count."""
        figure = of or (lambda each: each.total)
        pairs = zip(self.floods[load], self.floods[to], strict=True)
        return statistics.median(figure(each) / figure(unit) for each, unit in pairs)

    def _targets(self) -> Iterator[tuple[Target, float]]:
        measured, gallery = self.floods.keys(), (PICTURE, "mine")
        if gallery in measured:
            cpu, rate = self.ratio(gallery, UNIT), self.ratio(gallery, UNIT, lambda each: each.per_second)
            yield targets.GALLERY_CPU, cpu
            yield targets.GALLERY_CPU_PG, cpu / targets.PG_GALLERY
            yield targets.GALLERY_RATE_PG, rate * targets.BARE_PER_PG
            yield targets.GALLERY_RATE_POSTGRAPHILE, rate * targets.BARE_PER_POSTGRAPHILE
            yield targets.GALLERY_RATE_PRISMA, rate * targets.BARE_PER_PRISMA
            yield targets.PUBLIC_CPU, self.ratio((PICTURE, "public"), (BARE, "public"))
            yield targets.FALLBACK_CPU, self.ratio((RESOLVERS, "mine"), UNIT) / targets.PG_GALLERY
        if (PICTURE, "generation") in measured:
            yield targets.GENERATION_CPU, self.ratio((PICTURE, "generation"), UNIT) / targets.PG_GENERATION
        if (PICTURE, "create") in measured:
            yield targets.CREATE_CPU, self.ratio((PICTURE, "create"), UNIT) / targets.PG_CREATE


def difference(expected: object, found: object, path: str = "") -> str:
    """Where two answers first differ."""
    if isinstance(expected, dict) and isinstance(found, dict) and expected.keys() == found.keys():
        parts = [(key, expected[key], found[key]) for key in expected]
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        parts = list(zip(range(len(expected)), expected, found, strict=True))
    else:
        return f"{path}: {expected!r} and {found!r}"
    return next((difference(a, b, f"{path}.{key}") for key, a, b in parts if a != b), "")


def named(load: Load) -> str:
    """As the report calls it."""
    return f"{load[0]}: {NAMES[load[1]]}"


def show(console: Console, report: Report) -> None:
    """As tables."""
    apart = "servers, Postgres and Redis on one core, who asks on another" if report.is_pinned else "nothing is pinned"
    console.print(f"{report.machine}; {apart}\n")
    rows = [(name, *found.values()) for name, found in report.floods.items()]
    columns = ("CPU, ms", "server", "Postgres", "Redis", "x bare", "a second", "median, ms", "p99, ms")
    figures.show(console, "A request, at 16 connections", rows, *columns)
    steady = figures.rows_of(report.steady)
    figures.show(console, f"At {STEADY_PER_SECOND} a second", steady, "median, ms", "p99, ms", "of")
    figures.show(console, "After the load", list(report.memory.items()), "memory, MiB")
    targets.show(console, report.verdicts)
