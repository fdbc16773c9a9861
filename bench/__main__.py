"""python -m bench"""

import asyncio
import importlib
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import orjson
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench.house import temporary_home
from bench.options import Options
from bench.people import BenchError
from picture.trouble import Trouble

# Each section, and the module that measures it: `measure(options)` and `show(console, report)`.
SECTIONS = {
    "gallery": "answers",
    "generation": "answers",
    "create": "answers",
    "mixed": "answers",
    "depth": "depth",
    "growth": "growth",
    "queue": "waiting",
    "live": "live",
    "hostile": "hostile",
    "pipeline": "pipeline",
}


@click.command()
@click.argument("sections", nargs=-1, type=click.Choice(list(SECTIONS)))
@click.option("--quick", is_flag=True, help="In a fraction of the time, with figures that tell less.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Also write them here.")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Keep data there for the next time.")
@click.option("--scale", "scales", type=click.IntRange(2, 1000), multiple=True, help="How many times the data.")
def command(
    sections: tuple[str, ...], quick: bool, json_path: Path | None, home: Path | None, scales: tuple[int, ...]
) -> None:
    """Measure a Picture of its own on this machine: all SECTIONS, or those that are named."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 130)
    found: dict[str, Any] = {}
    for name, chosen in modules(sections or tuple(SECTIONS)).items():
        module = importlib.import_module(f"bench.{name}")
        try:
            found[name] = asyncio.run(_measure(module, chosen, quick, home, scales))
        except (BenchError, Trouble) as error:
            raise click.ClickException(str(error)) from error
        module.show(console, found[name])
    if json_path:
        json_path.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))


def modules(sections: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The modules that measure these, each with its own."""
    names = dict.fromkeys(SECTIONS[section] for section in sections)
    return {name: [section for section in sections if SECTIONS[section] == name] for name in names}


async def _measure(
    module: ModuleType, sections: Sequence[str], quick: bool, home: Path | None, scales: Sequence[int]
) -> Any:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress, temporary_home() as temporary:
        say = partial(_tell, progress, progress.add_task("starting"))
        folder = home.absolute() if home else temporary
        return await module.measure(Options(sections, folder, quick, scales, say))


def _tell(progress: Progress, task: Any, what: str) -> None:
    progress.update(task, description=what)


if __name__ == "__main__":
    command(prog_name="python -m bench")
