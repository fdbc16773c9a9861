"""A whole Picture in processes of its own, as `picture up` starts it, in a home that is gone afterwards."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson

from bench.people import STEPS, BenchError, Person
from picture.home import ROLES, Home, Running
from picture.settings import Settings
from picture.tokens import local_token

ROOT = Path(__file__).parents[1]
SECRET = "signs the tokens of a bench, for as long as it runs"
START_SECONDS = 60
STOP_SECONDS = 60
LOG_CHARACTERS = 4000
HOLD_SECONDS = 30
POLL_SECONDS = 0.05
# Everything but what one person may is as it is delivered.
LIMITS = {
    "PICTURE_GENERATIONS_PER_HOUR": "1000000",
    "PICTURE_GENERATIONS_PER_DAY": "1000000",
    "PICTURE_OPERATIONS_PER_MINUTE": "1000000",
    "PICTURE_OPERATIONS_PER_MINUTE_PER_ADDRESS": "1000000",
}
# Whatever else the environment says is about the reader's own Picture.
FOREIGN = ("PICTURE_", "DATABASE_", "REDIS_", "S3_", "COMFYUI_", "SUPABASE_")


@dataclass(frozen=True, slots=True)
class House:
    """A running `picture up`, with one worker and its engine."""

    home: Path
    running: Running
    http: aiohttp.ClientSession

    @property
    def address(self) -> str:
        """Where its API is."""
        return self.running.addresses["public_url"]

    @property
    def engine(self) -> str:
        """Where its simulated engine is."""
        return self.running.addresses["comfyui_url"]

    def pids(self) -> dict[str, list[int]]:
        """The processes of each role. Raises BenchError when one has died on the way."""
        found = Home(self.home).running()
        if found is None or any(process.restarts for listed in found.roles.values() for process in listed):
            raise BenchError("A part has died; figures would mean nothing.")
        return {role: [process.pid for process in found.roles[role]] for role in ROLES}

    def person(self, name: str) -> Person:
        """Somebody who is signed in."""
        return Person(self.http, self.address, local_token(Settings.given(token_secret=SECRET), name))

    async def journal(self, after: int = 0, **wanted: str) -> list[dict[str, Any]]:
        """What the engine has done since its `after`-th event; of one `kind`, waiting `timeout` seconds for it."""
        query = {"after": str(after), "timeout": "0", **wanted}
        async with self.http.get(f"{self.engine}/simulator/events", params=query) as answer:
            events: list[dict[str, Any]] = (await answer.json())["events"]
        return events

    async def hold(self) -> None:
        """Let the engine stop before the next prompt that it would take."""
        await self._tell_engine("rules", {"rule": [{"do": "pause", "at": "take", "times": 1}]})

    async def let_go(self, mark: int) -> None:
        """Let the engine go on that was held after its `mark`-th event, once it has a prompt before it."""
        if not await self.journal(mark, kind="paused", timeout=str(HOLD_SECONDS)):
            raise BenchError("No prompt has come to the engine.")
        await self._tell_engine("release", {})

    async def slow_down(self, seconds: float) -> None:
        """Let each run take this much longer from now on, a share at each step, as a GPU would: without our CPU."""
        rule = {"do": "hang", "at": "step", "seconds": seconds / STEPS, "times": 0}
        await self._tell_engine("rules", {"rule": [{**rule, "at_step": step + 1} for step in range(STEPS)]})

    async def _tell_engine(self, what: str, body: dict[str, Any]) -> None:
        async with self.http.post(f"{self.engine}/simulator/{what}", json=body) as answer:
            answer.raise_for_status()

    async def rows(self, query: str) -> list[asyncpg.Record]:
        """What the owner of the tables sees: for what the API tells nobody."""
        connection = await asyncpg.connect(self.running.addresses["database_admin_url"])
        try:
            rows: list[asyncpg.Record] = await connection.fetch(query)
            return rows
        finally:
            await connection.close()


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A home for one bench."""
    with tempfile.TemporaryDirectory(prefix="picture-bench-") as folder:
        yield Path(folder) / "home"


@asynccontextmanager
async def open_house(home: Path) -> AsyncIterator[House]:
    """`picture up` in `home`, with an engine that takes no time, ready to generate; ended afterwards."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    own = {"PICTURE_HOME": str(home), "PICTURE_TOKEN_SECRET": SECRET, "PYTHONPATH": str(ROOT)}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]  # not the usual one, for which a Picture of the reader's may be on its way
    command = ["-m", "picture", "up", "--port", str(port), "--workers", "1", "--engine-seconds", "0"]
    log = home.with_suffix(".log")
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, env={**inherited, **LIMITS, **own}, cwd=home.parent,  # no .env of the reader's
            stdin=asyncio.subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60), json_serialize=_json) as http:
            yield await _ready(home, http, process)
    except BenchError as error:
        raise BenchError(f"{error} The last that `picture up` said:\n{log.read_text()[-LOG_CHARACTERS:]}") from error
    finally:
        await _end(process)


async def _ready(home: Path, http: aiohttp.ClientSession, process: asyncio.subprocess.Process) -> House:
    """The house, once its API says that a model can be used. Raises BenchError when that never comes."""
    try:
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                running = Home(home).running()
                if running and running.roles.get("api"):
                    house = House(home, running, http)
                    if await house.person("bench").can_generate():
                        return house
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        pass
    raise BenchError("Picture did not become ready.")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()  # all that it runs dies with it
        await process.wait()


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
