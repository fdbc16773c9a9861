"""The main job, from createGeneration to GenerationCompleted: how fast, how long, at what price."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console

from bench import figures, processes, runs
from bench.crowd import Crowd, open_crowd
from bench.house import House, open_house, temporary_home
from bench.options import Options, machine
from bench.people import Seen
from bench.runs import Note, Run

STEADY_SHARE = 0.4  # of what it can do


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    people: int = 25
    warm_up: int = 20
    idle_seconds: float = 4
    at_once: int = 200
    steady: int = 100
    of_one_second: int = 30


QUICK = Size(people=10, warm_up=8, idle_seconds=1, at_once=40, steady=20, of_one_second=6)


@dataclass(slots=True)
class Report:
    """All that was found; milliseconds, MiB, and shares of one."""

    machine: str
    throughput: dict[str, dict[str, float]] = field(default_factory=dict)
    asking: dict[str, dict[str, float]] = field(default_factory=dict)
    finishing: dict[str, dict[str, float]] = field(default_factory=dict)
    costs: dict[str, dict[str, float]] = field(default_factory=dict)


async def measure(options: Options) -> Report:
    """Start, load and end it."""
    size, report = QUICK if options.quick else Size(), Report(machine())
    with temporary_home() as home:
        async with open_house(home) as house, open_crowd(house, size.people) as crowd:
            await Bench(size, report, options.say).run(house, crowd)
    return report


@dataclass(frozen=True, slots=True)
class Bench:
    """The measurements, one after the other; each goes into the report."""

    size: Size
    report: Report
    say: Callable[[str], None]

    async def run(self, house: House, crowd: Crowd) -> None:
        """All of them."""
        size = self.size
        self.say("warming up")
        await crowd.until_completed(await crowd.ask(size.warm_up))
        self.say("looking at an idle house")
        before = processes.usage(house.pids())
        await asyncio.sleep(size.idle_seconds)
        idle = processes.usage(house.pids()).since(before)
        self.say(f"{size.at_once} at once, an engine that takes no time")
        quick = await _at_once(house, crowd, size.at_once)
        per_second = quick.figures["per_second"] * STEADY_SHARE
        self.say(f"{size.steady}, {per_second:.1f} a second")
        await self._steadily(house, crowd, per_second)
        self._cost(house, idle, quick)
        await house.slow_down(1 - quick.figures["run_ms"] / 1000)
        self.say(f"{size.of_one_second} at once, an engine that takes 1 s")
        slow = await _at_once(house, crowd, size.of_one_second)
        self.report.throughput = {"takes no time": quick.figures, "takes 1 s": slow.figures}

    async def _steadily(self, house: House, crowd: Crowd, per_second: float) -> None:
        """Requests at a rate that leaves everybody time: how long each step takes, for one who watches."""
        mark = await _last(house)
        seen = await crowd.ask_steadily(self.size.steady, per_second)
        await crowd.until_completed(seen)
        found = {run.attempt_id: run for run in runs.runs_of(await house.journal(mark))}
        notes = await runs.notes_of(house)
        self.report.asking = asking_of(seen)
        self.report.finishing = finishing_of([(one, notes[one.id], found[notes[one.id].attempt_id]) for one in seen])

    def _cost(self, house: House, idle: Mapping[str, float], load: "Load") -> None:
        memory = processes.memory_mib(house.pids())
        for role in memory:
            self.report.costs[role] = {
                "memory_mib": memory[role],
                "asking_ms": 1000 * load.asking[role] / self.size.at_once,
                "working_ms": 1000 * load.working[role] / self.size.at_once,
                "idle_share": idle[role] / self.size.idle_seconds,
            }


@dataclass(frozen=True, slots=True)
class Load:
    """What came of many at once; CPU seconds by role, while they were asked for and while they were worked off."""

    figures: dict[str, float]
    asking: dict[str, float]
    working: dict[str, float]


async def _at_once(house: House, crowd: Crowd, count: int) -> Load:
    """So many queued up behind a closed gate, which is then opened."""
    mark = await _last(house)
    await house.hold()
    began = processes.usage(house.pids())
    seen = await crowd.ask(count)
    asked = processes.usage(house.pids())
    await house.let_go(mark)
    await crowd.until_completed(seen)
    done = processes.usage(house.pids())
    ends = sorted(one.heard_at["GenerationCompleted"] for one in seen)
    found = {
        "count": count,
        "per_second": (count - 1) / (ends[-1] - ends[0]),
        **runs.engine_figures(runs.runs_of(await house.journal(mark))),
    }
    return Load(found, asked.since(began), done.since(asked))


def asking_of(seen: Sequence[Seen]) -> dict[str, dict[str, float]]:
    """From the request on, for whom watches already."""
    steps = {"createGeneration answered": figures.milliseconds(one.answered_at - one.asked_at for one in seen)}
    for event in ("GenerationQueued", "GenerationStarted", "GenerationCompleted"):
        steps[event] = figures.milliseconds(one.heard_at[event] - one.asked_at for one in seen)
    return steps


def finishing_of(found: Sequence[tuple[Seen, Note, Run]]) -> dict[str, dict[str, float]]:
    """From the engine's last message on: the steps in their order, and the whole."""
    steps: dict[str, list[float]] = {
        "heard by the worker": [note.began_at - run.finished_at for _, note, run in found],
        "fetched": [note.fetch_seconds for _, note, _ in found],
        "rendered": [note.render_seconds for _, note, _ in found],
        "stored": [note.store_seconds for _, note, _ in found],
        "committed, told, received": [
            one.heard_at["GenerationCompleted"] - note.completed_at for one, note, _ in found
        ],
        "GenerationCompleted": [one.heard_at["GenerationCompleted"] - run.finished_at for one, _, run in found],
    }
    return {name: figures.milliseconds(values) for name, values in steps.items()}


async def _last(house: House) -> int:
    """The number of the journal's last event."""
    return max((event["seq"] for event in await house.journal()), default=0)


def show(console: Console, report: Report) -> None:
    """As tables."""
    console.print(f"One worker, 256 × 256 pictures; {report.machine}\n")
    rows = [(f"engine {name}", *found.values()) for name, found in report.throughput.items()]
    figures.show(console, "How many", rows, "made", "a second", "a run, ms", "a gap, ms", "idle share")
    spread = ("median, ms", "p99, ms", "of")
    figures.show(console, "From the request", figures.rows_of(report.asking), *spread)
    figures.show(console, "From the engine's last message", figures.rows_of(report.finishing), *spread)
    costs = [(role, *cost.values()) for role, cost in report.costs.items()]
    figures.show(console, "What it costs", costs, "memory, MiB", "CPU to ask, ms", "CPU to make, ms", "idle, cores")
