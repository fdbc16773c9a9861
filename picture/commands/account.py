"""picture account"""

import click

from db import accounts
from db.accounts import Account
from db.database import Database
from picture import operators
from picture.commands.shared import load
from picture.settings import Settings


@click.group()
def command() -> None:
    """Look after people's accounts."""


@command.command("delete")
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--reason", help="Why; kept in the audit log.")
def delete(user: str, yes: bool, reason: str | None) -> None:
    """Delete the account of USER (an id, a user name or an email address), with all that belongs to it.

    Their tokens are worth nothing from then on. Deleting again whom only an id names any more changes nothing.
    """
    settings = load()

    async def look(db: Database) -> Account | None:
        async with db.as_service() as session:
            return await accounts.find(session, user)

    account = operators.at_desk(settings, look)
    if account is None:
        click.echo(f"There is no account {user}; it is gone already.")
        return
    named = operators.shown(account.username or account.email or str(account.id))
    if not yes:
        click.confirm(f"Delete {named} ({account.id}) with all their pictures, for good?", abort=True)
    gone = _delete(settings, account, reason)
    counted = ", ".join(f"{count} {what}" for what, count in gone.items() if what != "profiles")
    click.echo(f"{named} is gone: {counted}. The objects are removed by the next sweep.")


def _delete(settings: Settings, account: Account, reason: str | None) -> dict[str, int]:
    async def act(db: Database) -> dict[str, int]:
        async with db.as_service() as session:
            gone = await accounts.delete(session, account.id, operators.entry("delete_account", account.id, reason))
        await operators.tell_revoked(settings, account.id)
        return gone

    return operators.at_desk(settings, act)
