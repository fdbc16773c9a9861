"""Postgres and Redis of the bench's own, databases of several sizes, and the servers that are measured on them."""

import hashlib
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg
import psutil

from bench import data
from bench.house import FOREIGN, ROOT, SECRET
from bench.people import BenchError
from db.migrate import MIGRATIONS, migrate
from picture import logs
from picture.house import House
from picture.processes import Command
from picture.settings import Settings
from picture.supervisor import NotReadyError, Part

SERVERS_CORE, OWN_CORE = 0, 1
PUBLIC_URL = "http://127.0.0.1:8000"  # what addresses of pictures begin with, whichever server makes them
# Nobody reaches a limit, and all are kept: what that costs is measured.
PLENTY = {
    "PICTURE_GENERATIONS_PER_HOUR": "1000000000",
    "PICTURE_GENERATIONS_PER_DAY": "1000000000",
    "PICTURE_STORAGE_BYTES": "1000000000000",
    "PICTURE_OPERATIONS_PER_MINUTE": "1000000000",
    "PICTURE_OPERATIONS_PER_MINUTE_PER_ADDRESS": "1000000000",
    "PICTURE_LOG_LEVEL": "warning",
}


@dataclass(frozen=True, slots=True)
class Addresses:
    """The three logins of one database."""

    api: str
    worker: str
    admin: str

    def at(self, database: str) -> "Addresses":
        """The same logins at another database of the server."""
        return Addresses(*(f"{url.rsplit('/', 1)[0]}/{database}" for url in (self.api, self.worker, self.admin)))

    @property
    def name(self) -> str:
        """The database's."""
        return self.api.rsplit("/", 1)[1]


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers requests."""

    name: str
    url: str
    pids: Mapping[str, Sequence[int]]  # by role: its own, and of Postgres and Redis, who work for it


@dataclass(slots=True)
class Stage:
    """What the servers stand on; where there are two cores, all of them share one and leave the other to us."""

    house: House
    addresses: Addresses
    is_pinned: bool

    async def database(self, size: data.Size) -> Addresses:
        """The data set in this size; made when it is not there yet."""
        name = f"bench_{size.images}_{size.people}_{_version()}"
        made, draft = self.addresses.at(name), self.addresses.at(f"{name}_draft")
        admin = await asyncpg.connect(self.addresses.at("postgres").admin)
        try:
            if not await admin.fetchval("select true from pg_database where datname = $1", made.name):
                await admin.execute(f"drop database if exists {draft.name}")
                await admin.execute(f"create database {draft.name}")
                await migrate(draft.admin, draft.api, draft.worker)
                await data.make(draft.admin, draft.worker, size)
                await admin.execute(f"alter database {draft.name} rename to {made.name}")
        finally:
            await admin.close()
        return made

    @asynccontextmanager
    async def picture(
        self, database: Addresses, name: str = "picture", settings: Mapping[str, str] | None = None
    ) -> AsyncIterator[Server]:
        """`picture api` as it is delivered, but for limits that nobody reaches, and what `settings` say."""
        env = {
            **PLENTY,
            "DATABASE_URL": database.api,
            "REDIS_URL": self.house.settings.require("redis_url"),
            "PICTURE_SECRET": SECRET,
            "PICTURE_TOKEN_SECRET": SECRET,
            "PICTURE_NAMESPACE": database.name,
            "PICTURE_HOME": str(self.house.home.path),
            "PICTURE_PUBLIC_URL": PUBLIC_URL,
            **(settings or {}),
        }
        async with self._serve(name, ["picture", "api"], env) as server:
            yield server

    @asynccontextmanager
    async def bare(self, database: Addresses) -> AsyncIterator[Server]:
        """The limit: one hand-written statement."""
        env = {"DATABASE_URL": database.api, "PUBLIC_URL": PUBLIC_URL, "SECRET": SECRET}
        async with self._serve("bare", ["bench.bare"], env) as server:
            yield server

    @asynccontextmanager
    async def _serve(self, name: str, module: Sequence[str], env: Mapping[str, str]) -> AsyncIterator[Server]:
        home, supervisor = self.house.home, self.house.supervisor
        port = home.port(f"bench-{name}")
        url = f"http://127.0.0.1:{port}"
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
        command = Command(
            [sys.executable, "-m", *module, "--port", str(port)],
            env={**inherited, **env, "PYTHONPATH": str(ROOT)},
            cwd=str(home.path),  # no .env of the reader's
            log=home.folder("logs") / f"bench-{name}.log",
        )
        await supervisor.start(Part(name, command, url, ready=lambda: _answers(f"{url}/readyz")))
        try:
            found = {role: supervisor.processes(role) for role in (name, "postgres", "redis")}
            pids = {role: [process.pid for process in listed] for role, listed in found.items()}
            self.pin(pids[name])
            yield Server(name, url, {"server": pids.pop(name), **pids})
            if any(process.restarts for process in supervisor.processes(name)):
                raise BenchError(f"{name} has died on the way; figures would mean nothing.")
        finally:
            await supervisor.stop(name)

    def pin(self, pids: Sequence[int]) -> None:
        """Let these and their children run on the servers' core only."""
        if self.is_pinned:
            for pid in pids:
                for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
                    with suppress(psutil.NoSuchProcess):  # some of Postgres' live for a moment
                        process.cpu_affinity([SERVERS_CORE])


@asynccontextmanager
async def open_stage(home: Path) -> AsyncIterator[Stage]:
    """Postgres and Redis in `home`, as `picture up` starts them; ended afterwards, what is in them stays."""
    logs.configure("pretty", "error", role="bench")
    settings = Settings.given(home=home, token_secret=SECRET, secret=SECRET)
    async with House(settings, is_quiet=True).open(only_services=True) as house:
        urls = [house.settings.require(f"database_{name}") for name in ("url", "worker_url", "admin_url")]
        stage = Stage(house, Addresses(*urls), is_pinned=_pin_ourselves())
        stage.pin([process.pid for role in ("postgres", "redis") for process in house.supervisor.processes(role)])
        yield stage


def _version() -> str:
    """Of tables and data: what a kept home has of another one is not used."""
    files = [data.SCRIPT, *sorted((MIGRATIONS / "versions").glob("*.sql"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]


def _pin_ourselves() -> bool:
    """Keep to a core of our own, so that asking takes no time from who answers. Not everywhere is that to be had."""
    if not hasattr(os, "sched_setaffinity") or not {SERVERS_CORE, OWN_CORE} <= os.sched_getaffinity(0):
        return False
    os.sched_setaffinity(0, {OWN_CORE})
    return True


async def _answers(address: str) -> None:
    try:
        async with aiohttp.ClientSession() as http, http.get(address) as answer:
            if answer.status != 200:
                raise NotReadyError
    except (aiohttp.ClientError, OSError) as error:
        raise NotReadyError from error
