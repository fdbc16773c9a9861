"""Who is attacked, who attacks, and the API between them: a process of its own, whose memory and log can be read."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import NAMESPACE_DNS, UUID, uuid5

import aiohttp
import asyncpg
import psutil

from picture.settings import Settings
from picture.stores import storage_config
from storage.keys import Variant, image_key
from storage.objects import open_storage
from tests.client import Client
from tests.conftest import SECRET, token
from tests.services import Addresses, Services

HUSH = "a fox that nobody else may see"
ROOT = Path(__file__).parents[2]
ROWS = ROOT / "tests/resolvers/privacy.sql"
MIB = 1 << 20
# One address asks more in a second than four do in a minute; how often it may is tried by the tests of the rates.
SETTINGS = {
    "PICTURE_OPERATIONS_PER_MINUTE": "0",
    "PICTURE_OPERATIONS_PER_MINUTE_PER_ADDRESS": "0",
    "PICTURE_CONNECTIONS_PER_MINUTE": "0",
    "PICTURE_CONNECTIONS_PER_MINUTE_PER_ADDRESS": "0",
    "PICTURE_GENERATIONS_PER_HOUR": "1000000",
    "PICTURE_GENERATIONS_PER_DAY": "1000000",
    "PICTURE_UPLOADS_PER_DAY": "1000000",
    "PICTURE_MAX_SOCKETS": "20",
    "PICTURE_MAX_CONNECTIONS_PER_ADDRESS": "0",
    "PICTURE_BODY_SECONDS": "1",
    "PICTURE_INIT_TIMEOUT_SECONDS": "1",
    "PICTURE_SEND_SECONDS": "1",
    "PICTURE_LOG_FORMAT": "json",
}
# What everybody sees was made by a generation that shows nothing; and one of hers can be looked at.
OPEN = """
update image_generations set prompt = 'shown' where id = '10000000-0000-0000-0000-0000000000f1';
update images set generation_id = '10000000-0000-0000-0000-0000000000f1', storage_path = $1
    where id = '20000000-0000-0000-0000-000000000001';
update images set storage_path = $1 where id = '10000000-0000-0000-0000-000000000001';
"""


@dataclass
class Scene:
    """A running API, Alice whose rows are what nobody else may see, and Mallory."""

    alice: Client
    mallory: Client
    theirs: str  # the id of a generation of hers
    published: UUID  # of her one image that all may see
    source: str | None = None  # the address that Mallory has, where it is not the usual one

    @property
    def host(self) -> str:
        """The API's own name."""
        return urlsplit(self.mallory.address).netloc

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of Mallory's, to say on it what no client would."""
        parts = urlsplit(self.mallory.address)
        own = (self.source, 0) if self.source else None
        return await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 22, local_addr=own)


@dataclass
class Process:
    """The API's."""

    of: psutil.Process
    log: Path
    began_mib: float = 0.0

    def __post_init__(self) -> None:
        """Remember what it held at first."""
        self.began_mib = self.memory_mib

    @property
    def memory_mib(self) -> float:
        """What it holds now."""
        return float(self.of.memory_info().rss) / MIB

    def logged(self) -> str:
        """All that it has written."""
        return self.log.read_text(errors="replace")


@asynccontextmanager
async def open_scene(services: Services, folder: Path) -> AsyncIterator[tuple[Scene, Process]]:
    """The API as it is delivered, and people who have one of each."""
    async with services.database() as addresses, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as http:
        home = folder / "home"
        async with _serve(addresses, services, home, folder / "api.log") as (address, process):
            alice, mallory = (_person(http, address, name) for name in ("alice", "mallory"))
            await asyncio.gather(*(each.query("{ viewer { profile { id } } }") for each in (alice, mallory)))
            published = await _fill(addresses, alice, mallory, home)
            fox = await alice.create_generation(prompt=HUSH)
            yield Scene(alice, mallory, fox["id"], published), Process(process, folder / "api.log")


def _person(http: aiohttp.ClientSession, address: str, name: str) -> Client:
    sub = uuid5(NAMESPACE_DNS, name)
    return Client(http, address, token(sub), sub)


async def _fill(addresses: Addresses, alice: Client, mallory: Client, home: Path) -> UUID:
    """Rows of each kind for both; bytes below one picture of hers. Its publication."""
    script = ROWS.read_text().replace("'hers'", f"'{HUSH}'")
    own = ROWS.read_text().replace("'1000", "'3000").replace("'2000", "'4000").replace("'hers'", "'his'")
    key = image_key("picture/", UUID(int=1), UUID(int=2), 0, Variant.FULL, "webp")
    connection = await asyncpg.connect(addresses.database_admin_url)
    try:
        await connection.execute(script.replace("ALICE", f"'{alice.sub}'"))
        await connection.execute(own.replace("ALICE", f"'{mallory.sub}'").replace("'shown'", "'his own'"))
        await connection.execute(OPEN.replace("$1", f"'{key}'"))
        publication = await connection.fetchval(
            "select publication_id from images where id = '20000000-0000-0000-0000-000000000001'"
        )
    finally:
        await connection.close()
    picture = home.with_name("picture.webp")
    picture.write_bytes(bytes(range(256)) * 400)
    async with open_storage(storage_config(Settings.given(home=home))) as storage:
        await storage.put(key, picture, "image/webp")
    return UUID(str(publication))


@asynccontextmanager
async def _serve(
    addresses: Addresses, services: Services, home: Path, log: Path
) -> AsyncIterator[tuple[str, psutil.Process]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PICTURE_", "DATABASE_"))}
    given = {
        **inherited,
        **SETTINGS,
        "DATABASE_URL": addresses.database_url,
        "REDIS_URL": services.redis_url,
        "PICTURE_SECRET": SECRET,
        "PICTURE_TOKEN_SECRET": SECRET,
        "PICTURE_NAMESPACE": addresses.database_url.rsplit("/", 1)[1],
        "PICTURE_HOME": str(home),
        "PICTURE_PUBLIC_URL": address,
        "PYTHONPATH": str(ROOT),
    }
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "picture", "api", "--port", str(port),
            env=given, cwd=log.parent, stdout=file, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
    try:
        await _until_ready(address, process, log)
        yield address, psutil.Process(process.pid)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _until_ready(address: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(60), aiohttp.ClientSession() as http:
        while True:
            assert process.returncode is None, log.read_text()
            try:
                async with http.get(f"{address}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
