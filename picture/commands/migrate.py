"""picture migrate"""

import asyncio

import asyncpg
import click
from sqlalchemy.exc import SQLAlchemyError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from db.migrate import migrate
from picture.commands.shared import load
from picture.trouble import Trouble

# The server does not answer, is coming up, or has not made the database yet.
AWAY = (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.InvalidCatalogNameError)
POLL_SECONDS = 0.05


@click.command()
@click.option("--wait", "seconds", type=click.FloatRange(min=0), default=0, help="Wait so long for the database.")
def command(seconds: float) -> None:
    """Bring the database to today's shape, and make the logins of the API and the workers.

    DATABASE_ADMIN_URL names the owner of the tables; the logins take their names and passwords from DATABASE_URL and
    DATABASE_WORKER_URL. Running it again changes nothing.
    """
    settings = load("migrate")
    urls = [settings.require(name) for name in ("database_admin_url", "database_url", "database_worker_url")]
    try:
        asyncio.run(_migrate(urls, seconds))
    except (OSError, SQLAlchemyError, asyncpg.PostgresError) as error:
        told = getattr(error, "orig", None) or error
        raise Trouble(f"The database could not be migrated: {told}. Is DATABASE_ADMIN_URL the owner's?") from error
    click.echo("The database is up to date.")


async def _migrate(urls: list[str], seconds: float) -> None:
    away, pause = retry_if_exception_type(AWAY), wait_fixed(POLL_SECONDS)
    async for attempt in AsyncRetrying(retry=away, stop=stop_after_delay(seconds), wait=pause, reraise=True):
        with attempt:
            await migrate(*urls)
