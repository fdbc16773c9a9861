"""Bring a database to today's shape, and make the two logins that Picture runs with."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

MIGRATIONS = Path(__file__).parent / "migrations"

# Migrators of one server wait for each other: roles belong to the server, not to the database. They wait by asking
# again: an index that is built concurrently waits for whoever is inside a statement, who would be waiting for it.
ONE_MIGRATOR = text("select pg_try_advisory_lock(hashtext('picture.migrate'))")
ASK_AGAIN_SECONDS = 0.2
NEXT_MIGRATOR = text("select pg_advisory_unlock(hashtext('picture.migrate'))")

MAKE_LOGIN = text("""
    select case when exists (select from pg_roles where rolname = :name)
        then format('alter role %I login password %L', cast(:name as text), cast(:password as text))
        else format('create role %I login password %L', cast(:name as text), cast(:password as text)) end
""")
# Granting again what is granted needs a right that who may only make roles has not got.
JOIN_GROUP = text("""
    select format('grant %I to %I', cast(:group as text), cast(:name as text))
    where not pg_has_role(cast(:name as name), cast(:group as name), 'member')
""")


async def migrate(admin_url: str, api_url: str, worker_url: str) -> None:
    """Run what is missing; running it again, or twice at once, changes nothing.

    The logins are made of the names and passwords in `api_url` and `worker_url`, where they differ from the admin's.
    """
    engine = create_async_engine(make_url(admin_url).set(drivername="postgresql+asyncpg"))
    try:
        async with engine.connect() as connection:
            while not await connection.scalar(ONE_MIGRATOR):
                await connection.commit()
                await asyncio.sleep(ASK_AGAIN_SECONDS)
            await connection.execute(text("create schema if not exists picture"))
            await connection.commit()
            await connection.run_sync(_upgrade)
            await connection.commit()
            await _make_login(connection, api_url, "picture_api")
            await _make_login(connection, worker_url, "picture_worker")
            await connection.execute(NEXT_MIGRATOR)
            await connection.commit()
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def _make_login(connection: AsyncConnection, url: str, group: str) -> None:
    login = make_url(url)
    for statement, values in (
        (MAKE_LOGIN, {"name": login.username, "password": login.password}),
        (JOIN_GROUP, {"group": group, "name": login.username}),
    ):
        if order := await connection.scalar(statement, values):
            await connection.exec_driver_sql(order)
    await connection.commit()
