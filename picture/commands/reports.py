"""picture reports"""

from collections.abc import Sequence

import click

from db import reports
from db.database import Database
from db.reports import Report
from picture import operators
from picture.commands.shared import load


@click.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most so many.")
def command(limit: int) -> None:
    """List the reports that wait for a decision, oldest first.

    Decide with `picture image hide IMAGE` or `picture report dismiss REPORT`.
    """

    async def look(db: Database) -> Sequence[Report]:
        async with db.as_service() as session:
            return await reports.open_ones(session, limit)

    found = operators.at_desk(load(), look)
    for report in found:
        click.echo(f"{report.created_at:%Y-%m-%d %H:%M}  report {report.id}  image {report.image_id}")
        click.echo(f"    {operators.shown(report.reporter)} says of {operators.shown(report.owner)}'s: "
                   f"{operators.shown(report.reason)}")  # fmt: skip
        click.echo(f"    prompt: {operators.shown(report.prompt)[:200]}")
    click.echo(f"{len(found)} open." if found else "None are open.")
