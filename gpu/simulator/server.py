"""The engine as a server: in this process, or as a command."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from aiohttp import web

from gpu.simulator import about, control, jobs, routes, uploads
from gpu.simulator.faults import middlewares
from gpu.simulator.files import Folders, catalogue_files
from gpu.simulator.journal import Journal
from gpu.simulator.nodes import Catalogue
from gpu.simulator.scripts import Script
from gpu.simulator.state import State
from gpu.simulator.worker import work

MAX_UPLOAD_BYTES = 100 * 1024 * 1024
Models = Mapping[str, Sequence[str]]


class Engine:
    """A simulated ComfyUI. It can die and come back at the same address, as a process would."""

    def __init__(
        self, host: str, port: int, *, seconds: float, script: Script, folder: Path, models: Models, preview_method: str
    ) -> None:
        self.host, self.port, self.folder = host, port, folder
        self.script = script
        self.journal = Journal()
        self._seconds, self._preview_method = seconds, preview_method
        self._models = {key: [name for name in names if name not in script.missing] for key, names in models.items()}
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._death: asyncio.Task[None] | None = None
        self.state: State

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    async def start(self) -> None:
        """Listen, remembering nothing; at the same port as before if it is not the first time."""
        folders = Folders(self.folder, self._models)
        self.state = State(
            folders, Catalogue(folders.names), self.script, self.journal, self._seconds, self._preview_method, self.die
        )
        app = web.Application(middlewares=middlewares(), client_max_size=MAX_UPLOAD_BYTES)
        app[routes.STATE] = self.state
        for route in [*routes.ROUTES, *uploads.ROUTES, *about.ROUTES]:
            app.router.add_routes([route, web.RouteDef(route.method, "/api" + route.path, route.handler, route.kwargs)])
        app.router.add_routes([*jobs.ROUTES, *control.ROUTES])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._tasks = [asyncio.create_task(self.state.sockets.publish()), asyncio.create_task(work(self.state))]

    async def crash(self) -> None:
        """Be gone at once: connections cut without a word, nothing remembered but the folders."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        server = runner.server
        for site in list(runner.sites):
            await site.stop()
        for connection in list(server.connections) if server else []:
            if connection.transport is not None:
                connection.transport.abort()
        for task in [*self._tasks, *self.state.handlers]:
            task.cancel()
        self.journal.write("crashed")
        await runner.cleanup()

    async def restart(self) -> None:
        """Die and start again at the same address."""
        await self.crash()
        await self.start()

    async def die(self) -> NoReturn:
        """What a script's "crash" does, from within."""
        self._death = asyncio.create_task(self.crash())
        await asyncio.Event().wait()
        raise AssertionError

    async def until(self, kind: str, *, after: int = 0, timeout_seconds: float = 30, **about: Any) -> dict[str, Any]:
        """The first event of this kind behind `after` that says all of `about`. TimeoutError when it does not come."""
        seq = after
        async with asyncio.timeout(timeout_seconds):
            while True:
                for event in await self.journal.after(seq, timeout_seconds):
                    seq = event["seq"]
                    if event["kind"] == kind and all(event.get(key) == value for key, value in about.items()):
                        return event

    def add(self, **rule: Any) -> None:
        """One more rule for the script: `engine.add(do="pause", at_step=3)`."""
        self.script.add([rule])

    def release(self, name: str | None = None) -> int:
        """Let the paused go on. How many there were."""
        return self.journal.release(name)


@asynccontextmanager
async def open_simulator(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    seconds: float = 0.0,
    script: Script | Path | Mapping[str, Any] | None = None,
    folder: Path | None = None,
    files: Models | None = None,
    preview_method: str = "none",
) -> AsyncIterator[Engine]:
    """An engine in this process, listening until the end of the block; port 0 picks a free one."""
    rules = (
        script
        if isinstance(script, Script)
        else Script.parse(script)
        if isinstance(script, Mapping)
        else Script.load(script)
    )
    models = catalogue_files() if files is None else files
    with tempfile.TemporaryDirectory(prefix="picture-engine-") as spare:
        place = folder or Path(spare)
        engine = Engine(
            host, port, seconds=seconds, script=rules, folder=place, models=models, preview_method=preview_method
        )
        await engine.start()
        try:
            yield engine
        finally:
            await engine.crash()


_USED = "script.json"


class _Process(Engine):
    """An engine that has a process of its own to lose."""

    async def start(self) -> None:
        self.script.recall(self.folder / _USED)
        await super().start()

    async def die(self) -> NoReturn:
        self.script.remember(self.folder / _USED)
        os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.Event().wait()
        raise AssertionError


def run(
    host: str = "127.0.0.1",
    port: int = 8188,
    seconds: float = 5.0,
    script: Path | str | None = None,
    folder: Path | str | None = None,
) -> None:
    """Be an engine until SIGTERM or SIGINT; prints a line of JSON, {"url": …}, once it listens. Raises ScriptError."""
    rules, models = Script.load(Path(script) if script else None), catalogue_files()
    with tempfile.TemporaryDirectory(prefix="picture-engine-") as spare, suppress(KeyboardInterrupt):
        place = Path(folder or spare)
        engine = _Process(host, port, seconds=seconds, script=rules, folder=place, models=models, preview_method="none")
        asyncio.run(_serve(engine))


async def _serve(engine: Engine) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await engine.start()
    sys.stdout.write(json.dumps({"url": engine.url}) + "\n")
    sys.stdout.flush()
    await stop.wait()
    await engine.crash()
