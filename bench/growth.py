"""What the same requests cost as the data grows: for the same people, with as many images as before."""

import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.console import Console

from bench import answers, data, figures
from bench.load import flood
from bench.options import Options, machine
from bench.stage import open_stage
from bench.workloads import open_workloads

SCALES = (1, 10, 20)
LOADS = [
    (answers.BARE, "mine"), (answers.BARE, "public"), (answers.PICTURE, "mine"), (answers.PICTURE, "public"),
    (answers.PICTURE, "generation"), (answers.PICTURE, "create"),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """How much is asked."""

    scales: tuple[int, ...] = SCALES
    rounds: int = 3
    seconds: float = 2


QUICK = Size(scales=(1, 2), rounds=2, seconds=0.7)


@dataclass(slots=True)
class Report:
    """CPU in ms a request, by load and by how many times the data."""

    machine: str
    cpu_ms: dict[str, dict[str, float]] = field(default_factory=dict)


async def measure(options: Options) -> Report:
    """One size after the other: their caches would be in each other's way."""
    size, report = QUICK if options.quick else Size(), Report(machine())
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    async with open_stage(options.home) as stage:
        for scale in sorted({*size.scales, *options.scales}):
            options.say(f"{scale} times the data: making it")
            database = await stage.database(data.Size.times(scale))
            workloads = await open_workloads(database.admin)
            options.say(f"{scale} times the data: asking")
            async with stage.picture(database) as picture, stage.bare(database) as bare:
                servers = {answers.PICTURE: picture, answers.BARE: bare}
                for load in LOADS:
                    rounds = [
                        await flood(servers[load[0]], workloads[load[1]], size.seconds) for _ in range(size.rounds)
                    ]
                    found[answers.named(load)][str(scale)] = statistics.median(each.total for each in rounds)
    report.cpu_ms = dict(found)
    return report


def show(console: Console, report: Report) -> None:
    """As a table."""
    console.print(f"{report.machine}\n")
    scales = [int(scale) for scale in next(iter(report.cpu_ms.values()))]
    sizes = [f"{data.Size.times(scale).images:,}" for scale in scales]
    rows = [(name, *_row(each)) for name, each in report.cpu_ms.items()]
    columns = [*(f"{size} images, ms" for size in sizes), *(f"x at {scale} times" for scale in scales[1:])]
    figures.show(console, "CPU of a request as the data grows", rows, *columns)


def _row(each: Mapping[str, float]) -> list[float]:
    first, *others = each.values()
    return [first, *others, *(other / first for other in others)]
