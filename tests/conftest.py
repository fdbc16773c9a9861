"""Everything real: Postgres, Valkey, storage, an engine over its protocol, the API over HTTP, workers and scheduler."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, UUID, uuid5

import aiohttp
import pytest
import uvicorn
from jose import jwt

from db.database import Database
from gpu.simulator import Engine, open_simulator
from picture import worker
from picture.app import create_app
from picture.settings import Settings
from picture.socket import server_options
from picture.wire import wire
from tests.client import Client
from tests.services import Addresses, Services, open_services

SECRET = "a secret of the tests, and of nobody else"
SERVING: dict[str, Any] = {
    "log_config": None,
    **server_options(ping_seconds=20, max_frame_bytes=1_000_000),
    "timeout_graceful_shutdown": 1,
    "lifespan": "on",
}
QUICK: dict[str, Any] = {
    "poll_seconds": 0.2,
    "cancel_poll_seconds": 0.05,
    "heartbeat_seconds": 0.5,
    "lease_seconds": 3,
    "sweep_seconds": 0.2,
    "retry_seconds": (0.05,),
    "silence_seconds": 0.3,
    "queue_moved_seconds": 0.2,
    "drain_seconds": 5,
    "cancel_grace_seconds": 2,
    "progress_timeout_seconds": 20,
    "generations_per_hour": 1000,
    "generations_per_day": 1000,
    "operations_per_minute": 0,
    "operations_per_minute_per_address": 0,
    "connections_per_minute": 0,
    "connections_per_minute_per_address": 0,
    "max_sockets_per_address": 10_000,
    "log_level": "warning",
}


@dataclass
class House:
    """One Picture, its parts started as a test asks for them and all ended with it."""

    settings: Settings
    addresses: Addresses
    engine: Engine
    http: aiohttp.ClientSession
    stack: AsyncExitStack
    apis: list[str] = field(default_factory=list)

    async def start_api(self, **changes: Any) -> str:
        """The address of an API of its own: a replica."""
        # Named as TCP, or asyncio leaves Nagle's algorithm on: 40 ms an answer.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = self.settings.model_copy(update={"public_url": address, **changes})
        server = uvicorn.Server(uvicorn.Config(create_app(settings), http=wire(settings.body_seconds), **SERVING))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        self.stack.push_async_callback(_stop_api, server, serving)
        async with self.http.get(f"{address}/healthz") as answer:  # the socket listens already: this waits for the app
            assert answer.status == 200
        self.apis.append(address)
        return address

    async def start_worker(self, **changes: Any) -> Callable[[], Any]:
        """A worker in this process; call what is returned to stop it as SIGTERM would."""
        return self._start(worker.work, worker_name="worker", comfyui_url=self.engine.url, **changes)

    async def start_scheduler(self, **changes: Any) -> Callable[[], Any]:
        """A scheduler in this process; call what is returned to stop it."""
        return self._start(worker.schedule, **changes)

    def _start(self, run: Callable[..., Any], **changes: Any) -> Callable[[], Any]:
        told = asyncio.Event()
        running = asyncio.create_task(run(self.settings.model_copy(update=changes), lambda: told))

        async def stop() -> None:
            told.set()
            await running

        self.stack.push_async_callback(stop)
        return stop

    def person(self, name: str, **claims: Any) -> Client:
        """Somebody who is signed in at the first API."""
        sub = uuid5(NAMESPACE_DNS, name)
        return Client(self.http, self.apis[0], token(sub, **claims), sub)

    async def database(self) -> Database:
        """The worker's view of everything, to look behind the API's back."""
        db = Database.connect(self.addresses.database_worker_url)
        self.stack.push_async_callback(db.close)
        return db


def token(sub: UUID | str, *, secret: str = SECRET, ttl_seconds: float = 3600, **claims: Any) -> str:
    """A token as Supabase makes them."""
    usual = {"sub": str(sub), "aud": "authenticated", "role": "authenticated", "exp": int(time.time() + ttl_seconds)}
    given = {key: value for key, value in {**usual, **claims}.items() if value is not None}
    return str(jwt.encode(given, secret, algorithm="HS256"))


async def _stop_api(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    server.should_exit = True
    with suppress(asyncio.CancelledError):
        await serving


@pytest.fixture(scope="session")
async def services(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    async with open_services(tmp_path_factory.mktemp("services")) as services:
        yield services


@pytest.fixture
async def addresses(services: Services) -> AsyncIterator[Addresses]:
    async with services.database() as addresses:
        yield addresses


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as session:
        yield session


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """A simulated ComfyUI that takes no time."""
    async with open_simulator(folder=tmp_path / "engine") as engine:
        yield engine


@pytest.fixture
def settings(tmp_path: Path, addresses: Addresses, services: Services, engine: Engine) -> Settings:
    """Quick ones, at services of this test's own."""
    return Settings.given(
        home=tmp_path / "home",
        database_url=addresses.database_url,
        database_worker_url=addresses.database_worker_url,
        redis_url=services.redis_url,
        namespace=addresses.database_url.rsplit("/", 1)[1],
        comfyui_folder=engine.folder,
        token_secret=SECRET,
        secret=SECRET,
        **QUICK,
    )


@pytest.fixture
async def empty_house(
    settings: Settings, addresses: Addresses, engine: Engine, http: aiohttp.ClientSession
) -> AsyncIterator[House]:
    """A house in which nothing runs yet."""
    async with AsyncExitStack() as stack:
        yield House(settings, addresses, engine, http, stack)


@pytest.fixture
async def api(empty_house: House) -> House:
    """An API, and nobody who does the work."""
    await empty_house.start_api()
    return empty_house


@pytest.fixture
async def house(api: House) -> House:
    """An API, a worker, a scheduler and an engine that takes no time."""
    await api.start_worker()
    await api.start_scheduler()
    return api


@pytest.fixture
def alice(api: House) -> Client:
    return api.person("alice")


@pytest.fixture
def bob(api: House) -> Client:
    return api.person("bob")


@pytest.fixture
def nobody(api: House) -> Client:
    """Who is not signed in."""
    return Client(api.http, api.apis[0])
