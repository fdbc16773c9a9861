"""All of Picture on one machine: what has no address is started, then what makes Picture."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime

import psutil

from picture import embedded
from picture.home import ROLES, Home, Running, complete, is_free
from picture.parts import ADDRESSES, DATABASES, Parts
from picture.processes import Nursery, end_all, ended, reason, tail
from picture.settings import Settings, local_address, variable
from picture.supervisor import Part, Patience, Supervisor
from picture.trouble import Trouble

# Whoever asks goes first and whom they ask later: work is finished or given back while its engine is there.
STOP_ORDER = (("api", "worker", "scheduler"), ("engine",), ("redis",), ("postgres",))
SERVICES = frozenset({"postgres", "redis"})
LEFTOVER_SECONDS = 5.0

Say = Callable[[str], None]


@dataclass(slots=True)
class House:
    """What runs in the home of these settings. Parts that are quiet log into files of the home."""

    settings: Settings  # with the addresses of what has been started
    is_quiet: bool = False
    say: Say = lambda _: None
    home: Home = field(init=False)
    engine_ports: tuple[int, ...] = ()
    nursery: Nursery = field(default_factory=Nursery)
    supervisor: Supervisor = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        self.home = Home.make(settings.home)
        patience = Patience(
            *settings.restart_seconds, settings.restart_reset_seconds,
            settings.start_timeout_seconds, settings.stop_timeout_seconds,
        )  # fmt: skip
        self.supervisor = Supervisor(patience, self._tell, self.nursery)

    @property
    def parts(self) -> Parts:
        """The processes that make Picture, by the addresses known so far."""
        return Parts(self.settings, self.home, self.engine_ports, self.is_quiet)

    @contextlib.asynccontextmanager
    async def open(self, *, only_services: bool = False) -> AsyncIterator["House"]:
        """All of it, ready, or only Postgres and Redis; ended in order at last. Raises Trouble, saying what is not."""
        with self.home.lock():
            _end_leftovers(self.home)
            self.home.secrets()
            self.settings = _with_port(complete(self.settings), self.home)
            self.engine_ports = tuple(self.home.port(f"engine-{n + 1}") for n in range(self.settings.workers))
            async with contextlib.AsyncExitStack() as stack:
                stack.callback(self.home.forget_running)
                try:
                    if only_services:
                        await together(self._start_postgres(stack), self._start_redis())
                    else:
                        await together(self._prepare_database(stack), self._start_redis(), self._start_engines())
                        await self._start_picture()
                    yield self
                finally:
                    await self.stop()

    async def stop(self) -> None:
        """End everything in its order."""
        for roles in STOP_ORDER:
            await self.supervisor.stop(*roles)
        self.nursery.close()

    def kill(self) -> None:
        """End everything by force."""
        self.supervisor.kill(*ROLES)

    async def _prepare_database(self, stack: contextlib.AsyncExitStack) -> None:
        """Postgres, and the tables in it. The migration is on its way while Postgres starts, and waits for it."""
        postgres = await self._learn_postgres(stack)
        await together(self._migrate(), *([self.supervisor.start(postgres)] if postgres else []))

    async def _start_picture(self) -> None:
        """The API and the workers, and when these are there the scheduler: nobody waits for its first look."""
        self.say("starting the API and the workers")
        workers = [self.parts.worker(index) for index in range(self.settings.workers)]
        await together(*(self.supervisor.start(part) for part in (self.parts.api(), *workers)))
        await self.supervisor.start(self.parts.scheduler())

    async def _start_postgres(self, stack: contextlib.AsyncExitStack) -> None:
        if postgres := await self._learn_postgres(stack):
            await self.supervisor.start(postgres)

    async def _learn_postgres(self, stack: contextlib.AsyncExitStack) -> Part | None:
        """The part that is to be started, unless there are addresses."""
        named = [name for name in DATABASES if getattr(self.settings, name)]
        if not named:
            self.say("starting Postgres")
            part, addresses = await stack.enter_async_context(embedded.open_postgres(self.home, self.nursery))
            self._learn(addresses)
            return part
        if missing := [variable(name) for name in DATABASES[:2] if name not in named]:
            are = " and ".join(map(variable, named))
            raise Trouble(f"{are} is set, but {' and '.join(missing)} is not. Set them all, or none for our own.")
        return None

    async def _start_redis(self) -> None:
        if not self.settings.redis_url:
            self.say("starting Redis")
            part, addresses = embedded.valkey(self.home)
            self._learn(addresses)
            await self.supervisor.start(part)

    async def _start_engines(self) -> None:
        if not self.settings.comfyui_url:
            self.say("starting the simulated engine")
            engines = [self.parts.engine(index) for index in range(self.settings.workers)]
            await together(*(self.supervisor.start(engine) for engine in engines))
        elif self.settings.workers > 1:
            raise Trouble("One worker drives one ComfyUI server. Leave out --workers, or unset COMFYUI_URL.")

    async def _migrate(self) -> None:
        if not self.settings.database_admin_url:
            self.say("not migrating: DATABASE_ADMIN_URL is not set")
            return
        self.say("migrating the database")
        command = self.parts.migration()
        process = self.nursery.spawn(command)
        try:
            status = await ended(process)
        except asyncio.CancelledError:
            process.kill()
            raise
        finally:
            self.nursery.reaped(process)
        if status:
            raise Trouble(f"The database could not be migrated ({reason(status)}). It says:\n{tail(command.log)}")

    def _learn(self, addresses: dict[str, str]) -> None:
        self.settings = self.settings.model_copy(update=addresses)

    def _tell(self) -> None:
        addresses = {name: value for name in ADDRESSES if (value := getattr(self.settings, name))}
        addresses.setdefault("comfyui_url", next((p.address or "" for p in self.supervisor.processes("engine")), ""))
        roles = {role: self.supervisor.processes(role) for role in ROLES}
        self.home.write_running(Running(os.getpid(), {k: v for k, v in addresses.items() if v}, roles))


async def together(*work: Coroutine[object, object, None]) -> None:
    """All of it at once; the first thing that goes wrong is raised, and the rest is given up."""
    try:
        async with asyncio.TaskGroup() as group:
            for each in work:
                group.create_task(each)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _with_port(settings: Settings, home: Home) -> Settings:
    """The port that was asked for, or one that is free: two checkouts do not meet."""
    asked = "port" in settings.model_fields_set
    if asked and not is_free(settings.port, settings.host):
        raise Trouble(f"Port {settings.port} is taken by another program. Choose another one with --port.")
    port = settings.port if asked else home.port("api", preferred=settings.port)
    known = settings.public_url if "public_url" in settings.model_fields_set else local_address(settings.host, port)
    return settings.model_copy(update={"port": port, "public_url": known})


def _end_leftovers(home: Home) -> None:
    """End what an earlier `up` that was killed may have left, where the system did not do it."""
    last = home.last_running()
    found = []
    for process in [process for listed in last.roles.values() for process in listed] if last else []:
        with contextlib.suppress(psutil.NoSuchProcess):
            candidate = psutil.Process(process.pid)
            if abs(candidate.create_time() - datetime.fromisoformat(process.started_at).timestamp()) < 2:
                found.append(candidate)
    end_all(found, signal.SIGINT, LEFTOVER_SECONDS)
    home.forget_running()
