"""Nothing that a client reads makes Postgres go through a big table, neither by a plan nor by the resolvers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import pytest

from bench import data
from gpu.simulator import open_simulator
from picture.settings import Settings
from schema.node import global_id
from tests.client import Client
from tests.conftest import QUICK, SECRET, House, token
from tests.db.plans import BIG, Log, explain, scanned
from tests.db.reading import Known, Reading, readings
from tests.services import Addresses, Services

KNOWN = """
    select i.id as image, i.generation_id as generation, i.model_id as model, i.user_id as owner,
        (select username from profiles where id = i.user_id) as username,
        min(t.id::text)::uuid as tag, array_agg(t.name order by t.name) as tags
    from images i join image_tags m on m.image_id = i.id join tags t on t.id = m.tag_id
    where i.user_id = $1 and i.is_public group by i.id having count(*) > 2 limit 1
"""
# As the API's own connections are.
LOGIN = {"search_path": "public", "timezone": "UTC", "jit": "off", "plan_cache_mode": "force_generic_plan"}
# What they did in their last seconds is counted when they end.
END_OTHERS = """
    select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""
SCANS = "select relname::text, seq_scan from pg_stat_user_tables where relname = any ($1)"

COUNTS = """
    select (select count(*) from profiles), (select count(*) from models), (select count(*) from image_generations),
        (select count(*) from images), (select count(*) from tags), (select count(*) from image_tags),
        (select count(*) from image_likes)
"""
KEPT = """
    select md5(string_agg(like_count::text, ',' order by id)) from images
    union all select md5(string_agg(public_count::text, ',' order by id)) from tags
"""


@dataclass
class Library:
    """50,000 images at an API that plans, and at one that only resolves; Postgres says what it is asked."""

    addresses: Addresses
    log: Log
    known: Known
    clients: dict[str, Client]
    admin: asyncpg.Connection
    scans: dict[str, int]
    asked: dict[str, str] = field(default_factory=dict)  # each statement, and what was read when it came first

    async def read(self, reading: Reading) -> None:
        """Ask by every client, for all sides of a page, and note what Postgres was asked."""
        for how, client in self.clients.items():
            page = await client.query(reading.document, **reading.variables)
            for name in reading.path:
                page = page[name]
            if reading.sides:
                await client.query(reading.sides, **reading.variables, place=page["pageInfo"]["endCursor"])
            self.note(f"{reading.name}, by {how}")

    def note(self, name: str) -> None:
        """What has come since the last time, under this name."""
        for statement in self.log.statements():
            self.asked.setdefault(statement, name)

    async def going_through(self) -> dict[str, Any]:
        """What goes through big tables: by its name, which ones and how it begins."""
        found = {}
        login = await asyncpg.connect(self.addresses.database_url, server_settings=LOGIN)
        try:
            for statement, name in self.asked.items():
                if tables := scanned(await explain(login, statement)):
                    found[name] = (sorted(tables), statement)
        finally:
            await login.close()
        self.log.skip()
        return found

    async def scans_since(self) -> dict[str, int]:
        """How often each big table was really gone through, also inside of functions."""
        await self.admin.execute(END_OTHERS)
        counts = dict(await self.admin.fetch(SCANS, list(BIG)))
        return {name: counts[name] - before for name, before in self.scans.items() if counts[name] > before}


@pytest.fixture(scope="module")
async def library(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    folder = tmp_path_factory.mktemp("library")
    async with AsyncExitStack() as stack:
        addresses = await stack.enter_async_context(services.database())
        await data.make(addresses.database_admin_url, addresses.database_worker_url, data.Size())
        admin = await asyncpg.connect(addresses.database_admin_url)
        stack.push_async_callback(admin.close)
        await admin.execute(END_OTHERS)
        scans = dict(await admin.fetch(SCANS, list(BIG)))
        await admin.execute(f"alter database {addresses.database_url.rsplit('/', 1)[1]} set log_statement = 'all'")
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)))
        engine = await stack.enter_async_context(open_simulator(folder=folder / "engine"))
        settings = Settings.given(
            home=folder, token_secret=SECRET, secret=SECRET, redis_url=services.redis_url, namespace="library",
            database_url=addresses.database_url, database_worker_url=addresses.database_worker_url, **QUICK,
        )  # fmt: skip
        house = House(settings, addresses, engine, http, stack)
        hows = {"plans": await house.start_api(), "resolvers": await house.start_api(plans=False)}
        person = (await data.askers(admin))[0]
        clients = {how: Client(http, address, token(person)) for how, address in hows.items()}
        known = await known_of(admin, person)
        log = Log(services.log)
        log.skip()
        yield Library(addresses, log, known, clients, admin, scans)


async def known_of(admin: asyncpg.Connection, person: UUID) -> Known:
    row = await admin.fetchrow(KNOWN, person)
    kinds = {"image": "Image", "generation": "Generation", "model": "Model", "tag": "Tag", "owner": "Profile"}
    ids = {name: global_id(kind, row[name]) for name, kind in kinds.items()}
    return Known(**ids, username=row["username"], tags=row["tags"][:2])


async def test_nothing_that_is_read_goes_through_a_big_table(library: Library) -> None:
    for reading in readings(library.known):
        await library.read(reading)
    planned = [statement for statement in library.asked if "row_to_json" in statement and "set_config(" in statement]
    assert (len(planned) > 100, len(library.asked) > 2 * len(planned)) == (True, True), "not all that was asked is seen"
    assert await library.going_through() == {}
    assert await library.scans_since() == {}


async def test_what_does_go_through_a_big_table_is_found(library: Library) -> None:
    library.asked.clear()
    login = await asyncpg.connect(library.addresses.database_url)
    await login.fetchval("select count(*) from images\nwhere prompt like $1", "%fox%")
    await login.fetchval("select count(*) from models")
    await login.close()
    library.note("a bad one")
    assert [tables for tables, _ in (await library.going_through()).values()] == [["images"]]
    assert await library.scans_since() == {"images": 1}


# Last: what it does goes through all of it.
async def test_the_data_is_what_figures_are_told_of(library: Library) -> None:
    assert tuple(await library.admin.fetchrow(COUNTS)) == (1000, 14, 25_000, 50_000, 500, 150_000, 125_000)
    kept = await library.admin.fetch(KEPT)
    await library.admin.execute("select picture.mend_gallery()")
    assert await library.admin.fetch(KEPT) == kept
