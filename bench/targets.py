"""Targets: ratios within one run to the bare limit, and by its figures to servers that others would build.

Those servers are not here. Each was measured beside `bare` once, in turns with it, on the same machine and data; a
figure of theirs is bare's of this run times the ratio found then (README.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from bench import figures

# CPU a request, in that of bare's page of a gallery.
PG_GALLERY, PG_GENERATION, PG_CREATE = 3.0, 0.51, 0.57
NEST_EVENT = 0.026  # one of 2,000 a second to 1,000 sockets
# Requests a second of bare's, in those of others.
BARE_PER_PG, BARE_PER_POSTGRAPHILE, BARE_PER_PRISMA = 448 / 136, 448 / 82, 448 / 41


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio that must be reached, and one that we want."""

    what: str
    unit: str
    must: float
    aim: float
    more_is_better: bool = False

    def judge(self, found: float) -> "Verdict":
        """What was found, held against both."""
        sign = -1 if self.more_is_better else 1
        reached = "aim" if sign * found <= sign * self.aim else "must" if sign * found <= sign * self.must else "no"
        return Verdict(self, found, reached)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a target came to."""

    target: Target
    found: float
    reached: str

    @property
    def row(self) -> Sequence[object]:
        """As a table shows it."""
        sign = "≥" if self.target.more_is_better else "≤"
        asked = (f"{sign} {self.target.must:g}", f"{sign} {self.target.aim:g}")
        return (self.target.what, f"{self.found:.2f}", self.target.unit, *asked, self.reached)


GALLERY_CPU = Target("gallery, CPU", "x bare", 1.5, 1.25)
GALLERY_CPU_PG = Target("gallery, CPU", "x NestJS + pg", 0.5, 0.42)
GALLERY_RATE_PG = Target("gallery, requests/s", "x NestJS + pg", 2, 3, more_is_better=True)
GALLERY_RATE_POSTGRAPHILE = Target("gallery, requests/s", "x PostGraphile", 3, 4, more_is_better=True)
GALLERY_RATE_PRISMA = Target("gallery, requests/s", "x NestJS + Prisma", 7, 10, more_is_better=True)
PUBLIC_CPU = Target("public gallery, CPU", "x bare", 1.3, 0.6)
GENERATION_CPU = Target("generation, CPU", "x NestJS + pg", 0.75, 0.6)
CREATE_CPU = Target("create, CPU", "x NestJS + pg", 1.2, 0.9)
FALLBACK_CPU = Target("gallery by resolvers, CPU", "x NestJS + pg", 1.3, 1.0)
TAKE_MEDIAN = Target("take of 100,000, median", "ms", 1.5, 0.7)
TAKE_P99 = Target("take of 100,000, p99", "ms", 3, 1.2)
TAKE_DEPTH = Target("take of 100,000, median", "x take of 1,000", 1.5, 1.5)
TAKE_HELD = Target("behind 40,000 of people at their limit, median", "x without", 15, 1.2)
INSERT = Target("insert, all indexes of the queue", "x without", 1.5, 1.5)


def show(console: Console, verdicts: Sequence[Verdict]) -> None:
    """Which are reached."""
    rows = [verdict.row for verdict in verdicts]
    figures.show(console, "Targets", rows, "found", "unit", "must", "aim", "reached")
