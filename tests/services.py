"""Real Postgres and Valkey for the tests, started as `picture up` starts them; a database a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg

from db import models
from db.database import Database
from db.migrate import migrate
from gpu import catalogue
from picture import embedded
from picture.home import Home
from picture.processes import Nursery
from picture.supervisor import Patience, Supervisor

TEMPLATE = "picture_template"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The three logins of one database."""

    database_url: str
    database_worker_url: str
    database_admin_url: str

    def at(self, database: str) -> "Addresses":
        """The same logins at another database of the server."""
        urls = (self.database_url, self.database_worker_url, self.database_admin_url)
        return Addresses(*(f"{url.rsplit('/', 1)[0]}/{database}" for url in urls))


@dataclass(frozen=True, slots=True)
class Services:
    """A server of each kind."""

    addresses: Addresses
    redis_url: str
    log: Path  # what Postgres writes

    @asynccontextmanager
    async def database(self, template: str = TEMPLATE) -> AsyncIterator[Addresses]:
        """A database of its own, migrated and with the catalogue, gone afterwards."""
        name = f"test_{uuid4().hex}"
        await self.execute(f"create database {name} template {template}")
        try:
            yield self.addresses.at(name)
        finally:
            await self.execute(f"drop database {name} with (force)")

    async def execute(self, statement: str) -> None:
        """Run a statement as the server's admin."""
        connection = await asyncpg.connect(self.addresses.at("postgres").database_admin_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@asynccontextmanager
async def open_services(folder: Path) -> AsyncIterator[Services]:
    """Both servers, and the template that tests clone."""
    home = Home.make(folder)
    nursery = Nursery()
    supervisor = Supervisor(Patience(), lambda: None, nursery)
    async with embedded.open_postgres(home, nursery) as (postgres, urls):
        valkey, redis = embedded.valkey(home)
        try:
            await asyncio.gather(supervisor.start(postgres), supervisor.start(valkey))
            services = Services(Addresses(**urls), redis["redis_url"], home.folder("logs") / "postgres.log")
            await _make_template(services)
            yield services
        finally:
            await supervisor.stop("redis", "postgres")
            nursery.close()


async def _make_template(services: Services) -> None:
    await services.execute(f"create database {TEMPLATE}")
    addresses = services.addresses.at(TEMPLATE)
    await migrate(addresses.database_admin_url, addresses.database_url, addresses.database_worker_url)
    db = Database.connect(addresses.database_worker_url)
    async with db.as_service() as session:
        await models.sync(session, "comfyui", [entry.row() for entry in catalogue.load().entries.values()])
    await db.close()
