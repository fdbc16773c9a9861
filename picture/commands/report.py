"""picture report"""

import click

from db import reports
from db.database import Database
from picture import operators
from picture.commands.shared import load


@click.group()
def command() -> None:
    """Decide reports; `picture reports` lists them."""


@command.command("dismiss")
@click.argument("report_id", metavar="ID")
@click.option("--reason", help="Why; kept in the audit log.")
def dismiss(report_id: str, reason: str | None) -> None:
    """Decide that nothing is wrong with what report ID is about."""
    said = operators.entry("dismiss_report", operators.row_id(report_id, "Report"), reason)

    async def act(db: Database) -> None:
        async with db.as_service() as session:
            await reports.dismiss(session, said)

    operators.at_desk(load(), act)
    click.echo("It is dismissed.")
