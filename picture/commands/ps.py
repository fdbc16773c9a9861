"""picture ps"""

from dataclasses import asdict

import click
import orjson
from rich.console import Console
from rich.table import Table

from picture.commands.shared import load, messages
from picture.home import ROLES, Home, Process


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: role to a list of its processes.")
def command(as_json: bool) -> None:
    """Show what `picture up` runs in this home."""
    home = Home(load().home)
    running = home.running()
    roles = {role: list(running.roles.get(role, [])) if running else [] for role in ROLES}
    if as_json:
        listed = {role: [asdict(process) for process in processes] for role, processes in roles.items()}
        click.echo(orjson.dumps(listed, option=orjson.OPT_INDENT_2).decode())
    elif running:
        Console().print(_table(roles))
    else:
        messages().print(f"Nothing runs in {home.path}. `picture up` starts it.")


def _table(roles: dict[str, list[Process]]) -> Table:
    table = Table("role", "pid", "address", "started at", "restarts", box=None, pad_edge=False)
    for role, processes in roles.items():
        for process in processes:
            address = process.address or ""
            table.add_row(role, str(process.pid), address, process.started_at, str(process.restarts))
    return table
