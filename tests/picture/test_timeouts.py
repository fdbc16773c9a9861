"""An operation ends with its time, and what Postgres does for it ends, too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from tests.client import Client, RefusedError
from tests.conftest import House
from tests.services import Addresses

ACTIVE = """select query from pg_stat_activity where datname = current_database() and state = 'active'
    and pid <> pg_backend_pid() and application_name = 'picture' and query ~* $1"""
LOOK_ANEW = "select pg_stat_clear_snapshot()"  # a transaction sees who is active as it first saw it
CREATE = """mutation { createGeneration(input: {model: "flux-schnell", prompt: "a fox"}) {
  generation { id } errors { code } } }"""
# Through a session, through a loader, and in one statement on a plain connection.
SLOW = {
    "models": ("{ models { slug } }", "models"),
    "profiles": ("{ generations { edges { node { model { slug } } } } }", "models"),
    "create": (CREATE, "image_generations"),
}


@pytest.fixture
async def hurried(empty_house: House) -> Client:
    """Somebody at an API whose operations take at most half a second."""
    await empty_house.start_api(operation_seconds=0.5, database_pool_size=4)
    alice = empty_house.person("alice")
    await alice.query(CREATE)
    return alice


@asynccontextmanager
async def held(addresses: Addresses, table: str) -> AsyncIterator[asyncpg.Connection]:
    """While somebody holds that table, whoever reads it waits."""
    admin = await asyncpg.connect(addresses.database_admin_url)
    try:
        async with admin.transaction():
            await admin.execute(f"lock table {table} in access exclusive mode")
            yield admin
    finally:
        await admin.close()


async def is_refused(client: Client, document: str) -> None:
    with pytest.raises(RefusedError) as refused:
        await client.query(document)
    assert refused.value.code == "TIMEOUT"
    assert "0.5 s" in str(refused.value)


@pytest.mark.parametrize("way", SLOW)
async def test_what_takes_too_long_ends_in_postgres_too(hurried: Client, addresses: Addresses, way: str) -> None:
    document, table = SLOW[way]
    async with held(addresses, table) as admin:
        await is_refused(hurried, document)
        async with asyncio.timeout(2):
            while await admin.fetch(ACTIVE, table):
                await asyncio.sleep(0.01)
                await admin.execute(LOOK_ANEW)
    await hurried.query(document)


async def test_thirty_that_took_too_long_leave_every_connection_free(hurried: Client, addresses: Addresses) -> None:
    for way in ("models", "create"):
        document, table = SLOW[way]
        async with held(addresses, table):
            await asyncio.gather(*(is_refused(hurried, document) for _ in range(30)))
        await asyncio.gather(*(hurried.query(document) for _ in range(8)))


async def test_over_a_socket_an_operation_ends_with_its_time_and_a_stream_does_not(
    hurried: Client, addresses: Addresses
) -> None:
    async with hurried.socket() as socket, hurried.events() as events:
        await anext(events)
        async with held(addresses, "models"):
            with pytest.raises(RefusedError) as refused:
                await anext(socket.subscribe("{ models { slug } }", "models", {}))
        assert refused.value.code == "TIMEOUT"
        await hurried.query(CREATE)
        while (await anext(events))["__typename"] != "GenerationQueued":
            pass  # what waits already moves
