"""Postgres: each login, what it may do, the tables' shape, and the clock."""

import time
from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from db.database import Database, UnsafeRoleError
from db.migrate import MIGRATIONS
from picture.checks.finding import Finding, bad, doubtful, good
from picture.settings import Settings, variable

LOGINS = {"database_url": "the API", "database_worker_url": "workers", "database_admin_url": "migrations"}
OLDEST_VERSION = 150_000
CLOCK_SECONDS = 2.0
TABLES = text("select to_regclass('public.image_generations') is not null")
SHAPE = text("select version_num from picture.alembic_version")  # the owner's to read
CLOCK = text("select extract(epoch from clock_timestamp())")
VERSION = text("select current_setting('server_version_num')::int")
WHERE = "Is it up, and are host, port, user and password in the address right? `picture migrate` makes the logins."


async def check_databases(settings: Settings) -> AsyncIterator[Finding]:
    """Every login that has an address."""
    if not any(getattr(settings, name) for name in LOGINS):
        yield good("Postgres", "has no address: `picture up` starts our own")
        return
    for name, whose in LOGINS.items():
        address = getattr(settings, name)
        if address:
            db = Database.connect(address, pool_size=1)
            try:
                async for finding in _login(db, name, whose):
                    yield finding
            finally:
                await db.close()
        elif name == "database_admin_url":
            yield good(variable(name), "is not set: only `picture migrate` needs it")
        else:
            yield bad(variable(name), f"is not set, and {whose} cannot do without", f"Set {variable(name)}.")


async def _login(db: Database, name: str, whose: str) -> AsyncIterator[Finding]:
    subject = variable(name)
    try:
        async with db.as_service() as session:
            version = int(await session.scalar(VERSION) or 0)
            ahead = time.time() - float(await session.scalar(CLOCK) or 0)
        if name == "database_url":
            await db.check_role()
    except UnsafeRoleError as error:
        yield bad(subject, "its login escapes row-level security", str(error))
        return
    except (OSError, SQLAlchemyError) as error:
        told = str(getattr(error, "orig", None) or error).splitlines()[0]
        yield bad(subject, f"does not let {whose} in: {told}", WHERE)
        return
    yield good(subject, f"lets {whose} in, Postgres {version // 10_000}.{version % 10_000}")
    if version < OLDEST_VERSION:
        yield bad(subject, f"is Postgres {version // 10_000}", "Picture needs Postgres 15 or newer.")
    if abs(ahead) > CLOCK_SECONDS:
        said = f"is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Postgres'"
        yield doubtful("clock", said, "Let both machines keep time (NTP): tokens, leases and limits go by it.")
    elif name == "database_url":
        yield good("clock", "agrees with Postgres'")
    if name != "database_url":
        yield await _shape(db, is_owner=name == "database_admin_url")


async def _shape(db: Database, *, is_owner: bool) -> Finding:
    wanted = max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).split("_", 1)[0]
    async with db.as_service() as session:
        if not await session.scalar(TABLES):
            return bad("tables", "have not been made", "Run `picture migrate`.")
        found = await session.scalar(SHAPE) if is_owner else wanted
    if found != wanted:
        return bad("tables", f"are of migration {found}, this release wants {wanted}", "Run `picture migrate`.")
    return good("tables", f"are up to date (migration {found})" if is_owner else "are there")
