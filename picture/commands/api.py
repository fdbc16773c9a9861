"""picture api"""

import asyncio

import asyncpg
import click
import uvicorn
from sqlalchemy.exc import SQLAlchemyError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_fixed

from db.database import Database, UnsafeRoleError, is_away
from picture.app import create_app
from picture.commands.shared import load
from picture.settings import Settings, variable
from picture.socket import server_options
from picture.trouble import Trouble
from picture.wire import wire

NEEDED = ("database_url", "redis_url", "secret")
POLL_SECONDS = 0.2


@click.command()
@click.option("--host", help="The address to listen on; 127.0.0.1 when not given.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on; 8000 when not given.")
def command(host: str | None, port: int | None) -> None:
    """Serve the API until told to stop."""
    settings = load("api", host=host, port=port)
    if missing := [variable(name) for name in NEEDED if not getattr(settings, name)]:
        raise Trouble(f"{', '.join(missing)} not set. Set them, or start `picture up` in this folder first.")
    asyncio.run(_until_safe(settings))
    serve(settings)


async def _until_safe(settings: Settings) -> None:
    """Wait for Postgres, and see that row-level security binds us: said here it is a sentence, later a traceback."""
    db = Database.connect(settings.require("database_url"), pool_size=1)
    away, patience = retry_if_exception(is_away), stop_after_delay(settings.start_timeout_seconds)
    try:
        async for attempt in AsyncRetrying(retry=away, stop=patience, wait=wait_fixed(POLL_SECONDS), reraise=True):
            with attempt:
                await db.check_role()
    except UnsafeRoleError as error:
        raise Trouble(str(error)) from error
    except (OSError, SQLAlchemyError, asyncpg.PostgresError) as error:
        raise Trouble(f"Postgres does not let the API in: {error}. `picture doctor` tells more.") from error
    finally:
        await db.close()


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests and streams then have `drain_seconds` to end."""
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        # Proxies, where there are any, bring everybody's, and know how many are too many.
        http=wire(settings.body_seconds, 0 if settings.forwarded_allow_ips else settings.max_connections_per_address),
        lifespan="on",
        **server_options(ping_seconds=settings.ping_seconds, max_frame_bytes=settings.max_body_bytes),
        log_config=None,
        access_log=False,  # the app logs one line a request, with its id
        server_header=False,
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=settings.forwarded_allow_ips or None,
        timeout_graceful_shutdown=max(1, int(settings.drain_seconds)),
    )
