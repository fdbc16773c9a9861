"""picture image"""

import asyncio
from collections.abc import Awaitable, Callable

import click
from sqlalchemy.ext.asyncio import AsyncSession

from db import reports
from db.audit import Entry
from db.database import Database
from picture import operators
from picture.commands.shared import load

ID = click.argument("image_id", metavar="ID")
REASON = click.option("--reason", help="Why; kept in the audit log.")


@click.group()
def command() -> None:
    """Hide images, and show them again."""


@command.command("hide")
@ID
@REASON
def hide(image_id: str, reason: str | None) -> None:
    """Take the image ID away from all but its owner, and decide its reports. `picture image show` undoes it."""
    _decide("hide_image", image_id, reason, reports.hide)
    click.echo("It is hidden: only its owner sees it, and cannot share it. Caches keep what they have for a while.")


@command.command("show")
@ID
@REASON
def show(image_id: str, reason: str | None) -> None:
    """Undo `picture image hide`; a public image gets a new address."""
    _decide("show_image", image_id, reason, reports.show)
    asyncio.run(operators.tell_published(load(), operators.row_id(image_id, "Image")))
    click.echo("It is shown again to all who might see it before.")


def _decide(
    action: str, image_id: str, reason: str | None, decide: Callable[[AsyncSession, Entry], Awaitable[None]]
) -> None:
    said = operators.entry(action, operators.row_id(image_id, "Image"), reason)

    async def act(db: Database) -> None:
        async with db.as_service() as session:
            await decide(session, said)

    operators.at_desk(load(), act)
