"""What the engine's journal and the worker's own notes say of runs."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bench.house import House
from schema.node import global_id

NOTES = """
    select g.id, g.attempt_id, extract(epoch from g.completed_at)::float8 as completed_at,
        p.fetch_seconds, p.render_seconds, p.store_seconds
    from image_generations g join generation_performance p on p.generation_id = g.id and p.attempt = g.attempt
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run in the engine, by the engine's clock."""

    attempt_id: str
    started_at: float
    finished_at: float


@dataclass(frozen=True, slots=True)
class Note:
    """What the worker wrote down of one generation."""

    attempt_id: str
    completed_at: float  # when the transaction that completed it began
    fetch_seconds: float
    render_seconds: float
    store_seconds: float

    @property
    def began_at(self) -> float:
        """When it took up what the engine had made."""
        return self.completed_at - self.fetch_seconds - self.render_seconds - self.store_seconds


def runs_of(journal: Sequence[dict[str, Any]]) -> list[Run]:
    """The runs that have both begun and ended in it, in order."""
    began: dict[str, float] = {}
    runs = []
    for event in journal:
        if event["kind"] == "started":
            began[event["prompt_id"]] = event["at"]
        elif event["kind"] == "finished" and event["prompt_id"] in began:
            runs.append(Run(event["prompt_id"], began[event["prompt_id"]], event["at"]))
    return runs


def engine_figures(runs: Sequence[Run]) -> dict[str, float]:
    """How the engine's time went from its first run to its last: in runs, and between them."""
    gaps = [after.started_at - before.finished_at for before, after in pairwise(runs)]
    whole = runs[-1].finished_at - runs[0].started_at
    return {
        "run_ms": 1000 * statistics.median(run.finished_at - run.started_at for run in runs),
        "gap_ms": 1000 * statistics.median(gaps),
        "idle_share": sum(gaps) / whole,
    }


async def notes_of(house: House) -> dict[str, Note]:
    """The worker's notes, by the generation's id."""
    return {
        global_id("Generation", row["id"]): Note(
            attempt_id=str(row["attempt_id"]),
            completed_at=row["completed_at"],
            fetch_seconds=row["fetch_seconds"],
            render_seconds=row["render_seconds"],
            store_seconds=row["store_seconds"],
        )
        for row in await house.rows(NOTES)
    }
