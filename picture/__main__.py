"""The `picture` command. Each command is a module of `picture.commands`, loaded only when it is called."""

import importlib
import sys

import click

from picture.trouble import Trouble

# The API's process must never load the GPU half, and help should come at once: so the short texts stand here.
COMMANDS = {
    "up": "Run all of Picture here until Ctrl-C.",
    "down": "End what `picture up` runs here.",
    "ps": "Show what `picture up` runs here.",
    "demo": "From a prompt to a picture on disk, watched live.",
    "token": "Print a token for a person, where there is no Supabase.",
    "doctor": "Check every setting and service, and say what to do.",
    "storage": "Look into the storage.",
    "reports": "List the reports of images that wait for a decision.",
    "report": "Decide a report.",
    "image": "Hide an image, or show it again.",
    "account": "Delete somebody's account.",
    "migrate": "Bring the database to today's shape.",
    "api": "Serve the API.",
    "worker": "Drive one ComfyUI server.",
    "scheduler": "Repair and clean up, on a schedule.",
    "engine": "Run a simulated ComfyUI, which needs no GPU.",
}


class Commands(click.Group):
    """Commands by the name of their module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order that a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the one that was asked for."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"picture.commands.{cmd_name}").command
        command.short_help = COMMANDS[cmd_name]
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="picture", prog_name="picture")
def cli() -> None:
    """Turn prompts into pictures, on your own GPUs, over GraphQL.

    `picture demo` shows it, `picture up` runs it: what has no address in the environment or in .env (DATABASE_URL,
    REDIS_URL, S3_ENDPOINT, COMFYUI_URL) is started here, and keeps its data in .picture.
    """


def main() -> None:
    """Run a command: 0 when it went well, 1 when it did not, 2 when it was called wrongly."""
    try:
        cli(prog_name="picture")
    except Trouble as trouble:
        click.echo(f"picture: {trouble}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
