"""Connections that end while nobody uses them."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from tests.services import Addresses

PID = text("select pg_backend_pid()")


async def ended(session: AsyncSession) -> asyncio.Event:
    """Set once the client's side knows that this session's connection is gone."""
    gone = asyncio.Event()
    raw = await (await session.connection()).get_raw_connection()
    assert raw.driver_connection
    raw.driver_connection.add_termination_listener(lambda _: gone.set())
    return gone


async def test_a_connection_that_postgres_has_ended_is_replaced_unnoticed(addresses: Addresses) -> None:
    db, admin = Database.connect(addresses.database_worker_url), Database.connect(addresses.database_admin_url)
    async with db.as_service() as session:
        pid = await session.scalar(PID)
        gone = await ended(session)
    async with admin.as_service() as session:
        await session.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
    await gone.wait()
    async with db.as_service() as session:
        assert await session.scalar(PID) != pid
    await db.close()
    await admin.close()
