"""picture up"""

import asyncio
from pathlib import Path

import click
import structlog
from rich.console import Console

from picture.commands.shared import load, messages, stopped_by_signals
from picture.house import House
from picture.settings import Settings
from picture.tokens import PERSON, local_token

log = structlog.get_logger()


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="The API's port; 8000, or a free one, when not given.")
@click.option("--workers", type=click.IntRange(0, 64), help="How many workers, each with its engine.")
@click.option("--engine-seconds", type=click.FloatRange(0, 600), help="How long the simulated engine takes.")
@click.option(
    "--engine-script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the simulated engine is to get wrong (TOML).",
)
def command(port: int | None, workers: int | None, engine_seconds: float | None, engine_script: Path | None) -> None:
    """Run all of Picture here until Ctrl-C.

    Postgres, Redis and a simulated engine are started where no address names yours. Whatever dies is started again;
    a second Ctrl-C ends everything by force. Data stays in .picture, or where PICTURE_HOME says.
    """
    settings = load("up", port=port, workers=workers, engine_seconds=engine_seconds, engine_script=engine_script)
    asyncio.run(_up(settings))


async def _up(settings: Settings) -> None:
    house = House(settings, say=log.info)
    async with stopped_by_signals(house.kill), house.open():
        _greet(house.settings)
        await asyncio.Event().wait()
    messages().print("Picture has ended; its data is in", str(house.home.path))


def _greet(settings: Settings) -> None:
    out = Console(highlight=False, soft_wrap=True)
    out.print(f"\n[bold]Picture is ready[/bold] at {settings.public_url}/graphql")
    if settings.graphiql:
        out.print("  Open it in a browser for GraphiQL.")
    if settings.token_secret:
        out.print(f"  A token (`picture token {PERSON}` prints another): {local_token(settings, PERSON)}")
    else:
        out.print("  Sign in with a token of your Supabase project.")
    out.print("  Ctrl-C or `picture down` ends it.\n")
