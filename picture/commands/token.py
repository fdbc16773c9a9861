"""picture token"""

import re

import click

from picture.commands.shared import load
from picture.home import Home, complete
from picture.tokens import local_token

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Duration(click.ParamType[int]):
    """90, 90s, 15m, 12h or 7d, in seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The seconds; a usage error otherwise."""
        found = re.fullmatch(r"(\d+)([smhd]?)", str(value))
        if not found or int(found[1]) == 0:
            self.fail(f"{value!r} is no duration; try 12h or 7d", param, ctx)
        return int(found[1]) * SECONDS[found[2] or "s"]


@click.command()
@click.argument("name")
@click.option("--admin", is_flag=True, help="One that may change models.")
@click.option("--ttl", type=Duration(), default="24h", show_default=True, help="How long it is good for.")
def command(name: str, admin: bool, ttl: int) -> None:
    """Print a token for the person called NAME.

    The same name is the same person. Tokens are signed with this home's secret, and are refused as soon as
    SUPABASE_URL or SUPABASE_JWT_SECRET is set.
    """
    settings = load()
    if not settings.token_secret and not settings.has_supabase and not settings.database_url:
        Home.make(settings.home).secrets()  # the home's first command may be this one
        settings = complete(settings)
    click.echo(local_token(settings, name, is_admin=admin, ttl_seconds=ttl))
