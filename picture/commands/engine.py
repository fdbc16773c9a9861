"""picture engine"""

from pathlib import Path

import click

from gpu import simulator
from picture.commands.shared import load
from picture.trouble import Trouble


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on; 8188 when not given.")
@click.option("--seconds", "engine_seconds", type=click.FloatRange(0, 600), help="How long a picture takes.")
@click.option(
    "--script", "engine_script", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What it is to get wrong (TOML).",
)  # fmt: skip
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Where its input and output lie.")
def command(
    host: str, port: int | None, engine_seconds: float | None, engine_script: Path | None, folder: Path | None
) -> None:
    """Run a simulated ComfyUI: the real one's protocol, drawn pictures, no GPU."""
    settings = load("engine", engine_seconds=engine_seconds, engine_script=engine_script)
    chosen = settings.engine_port if port is None else port
    try:
        simulator.run(host, chosen, settings.engine_seconds, settings.engine_script, folder)
    except simulator.ScriptError as error:
        raise Trouble(str(error)) from error
    except OSError as error:
        raise Trouble(f"The engine cannot listen on {host}:{chosen}: {error.strerror}. Try another --port.") from error
