"""Figures: how many numbers become few, and how they are shown."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table


def spread(values: Iterable[float]) -> dict[str, float]:
    """Median and 99th percentile; of fewer than 100 values, the latter is the greatest."""
    ordered = sorted(values)
    if not ordered:
        return {"count": 0}
    last = ordered[min(int(0.99 * len(ordered)), len(ordered) - 1)]
    return {"count": len(ordered), "median": statistics.median(ordered), "p99": last}


def milliseconds(values: Iterable[float]) -> dict[str, float]:
    """The spread of what was given in seconds."""
    return spread(1000 * value for value in values)


def show(console: Console, title: str, rows: Sequence[Sequence[object]], *columns: str) -> None:
    """One table; the first column says what, the others hold figures."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    for name, *figures in rows:
        table.add_row(str(name), *(text(figure) for figure in figures))
    console.print(table, "")


def text(figure: object) -> str:
    """Three digits that matter."""
    if not isinstance(figure, float):
        return "" if figure is None else str(figure)
    return f"{figure:.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


def rows_of(spreads: Mapping[str, Mapping[str, float]]) -> list[tuple[object, ...]]:
    """Spreads as rows of a table."""
    return [(name, each.get("median"), each.get("p99"), each["count"]) for name, each in spreads.items()]
