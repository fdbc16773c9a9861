"""picture migrate"""

import asyncio

import click
from sqlalchemy.exc import SQLAlchemyError

from db.migrate import migrate
from picture.commands.shared import load
from picture.trouble import Trouble


@click.command()
def command() -> None:
    """Bring the database to today's shape, and make the logins of the API and the workers.

    DATABASE_ADMIN_URL names the owner of the tables; the logins take their names and passwords from DATABASE_URL and
    DATABASE_WORKER_URL. Running it again changes nothing.
    """
    settings = load("migrate")
    urls = [settings.require(name) for name in ("database_admin_url", "database_url", "database_worker_url")]
    try:
        asyncio.run(migrate(*urls))
    except (OSError, SQLAlchemyError) as error:
        told = getattr(error, "orig", None) or error
        raise Trouble(f"The database could not be migrated: {told}. Is DATABASE_ADMIN_URL the owner's?") from error
    click.echo("The database is up to date.")
