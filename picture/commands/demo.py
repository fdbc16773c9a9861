"""picture demo"""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from picture.commands.shared import load, stopped_by_signals
from picture.demo import Painter, fetch, signed_in
from picture.home import Home
from picture.house import House
from picture.settings import Settings, local_address
from picture.tokens import PERSON, local_token
from picture.trouble import Trouble

PROMPT = "a lighthouse above the sea at dusk, warm windows, oil on canvas"
FILE = "picture-demo"
STAGES = {"QUEUED": "waiting in the queue", "PROCESSING": "the worker has it"}


@click.command()
@click.argument("prompt", required=False, default=PROMPT)
@click.option("--model", help="A model's slug; the first that is available when not given.")
@click.option("--token", help="Whom to be; needed where people sign in at Supabase.")
def command(prompt: str, model: str | None, token: str | None) -> None:
    """From PROMPT to a picture on disk, watched live.

    All of Picture is started for it, unless it runs in this home already; then everything goes through the public
    API. The picture is left in the current folder.
    """
    settings = load("demo", log_level="warning")
    console = Console(highlight=False)
    asyncio.run(_demo(settings, console, prompt, model, token))


async def _demo(settings: Settings, console: Console, prompt: str, model: str | None, token: str | None) -> None:
    running = Home(settings.home).running()
    status = console.status("starting")
    house = House(settings, is_quiet=True, say=status.update)
    async with stopped_by_signals(house.kill), AsyncExitStack() as stack:
        with status:
            if running:
                api = running.roles["api"][0].address if running.roles.get("api") else None
                address = api or running.addresses["public_url"]
            else:
                settings = (await stack.enter_async_context(house.open())).settings
                address = local_address(settings.host, settings.port)
            status.update("signing in")
            painter = await stack.enter_async_context(signed_in(address, token or local_token(settings, PERSON)))
            status.update("waiting for a worker")
            chosen = model or await _available(painter)
        console.print(f"Picture runs at [bold]{address}/graphql[/bold]")
        await _paint(painter, console, prompt, chosen)


async def _available(painter: Painter) -> str:
    try:
        return await painter.model()
    except TimeoutError as error:
        raise Trouble("No model is available: no worker is up. `picture doctor` tells what is missing.") from error


async def _paint(painter: Painter, console: Console, prompt: str, model: str) -> None:
    generation = await painter.create(model, prompt)
    console.print(f"[bold]{prompt}[/bold]\n{generation['model']['name']}, seed {generation['seed']}")
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    previews, image = 0, None
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(STAGES["QUEUED"], total=1.0)
        async for event in painter.watch(generation["id"]):
            previews += event["__typename"] == "GenerationPreviewed"
            progress.update(task, **_shown(event, previews))
            if event["__typename"] == "GenerationFailed" and not event["willRetry"]:
                raise Trouble(f"The generation failed: {event['failure']['message']}")
            image = event["images"][0] if event.get("images") else image
        progress.update(task, description=f"completed, {previews} previews", completed=1.0)
    if image is None:
        raise Trouble("The generation ended without a picture.")
    await _save(console, image)


def _shown(event: dict[str, Any], previews: int) -> dict[str, Any]:
    """What the bar says of an event."""
    count = f", {previews} previews" if previews else ""
    if event["__typename"] == "GenerationProgressed":
        step = f" step {event['step']} of {event['steps']}" if event["step"] else ""
        stage = event["stage"].lower().replace("_", " ")
        return {"description": f"{stage}{step}{count}", "completed": event["progress"]}
    if event["__typename"] == "GenerationPreviewed":
        return {}
    if event["__typename"] == "GenerationFailed":
        return {"description": f"{event['failure']['message']} Trying again.", "completed": 0}
    if event["__typename"] == "GenerationQueueMoved" and event["queuePosition"]:
        return {"description": f"number {event['queuePosition']} in the queue"}
    return {"description": STAGES[status] + count} if (status := event["generation"]["status"]) in STAGES else {}


async def _save(console: Console, image: dict[str, Any]) -> None:
    path = Path(f"{FILE}.{image['format'].lower()}").absolute()
    await fetch(image["url"], path)
    size = f"{image['width']} × {image['height']}, {image['fileSize'] / 1000:.0f} kB"
    console.print(f"[bold green]{path}[/bold green] ({size})", soft_wrap=True)
