"""A whole Picture in processes of its own, as `picture up` starts it, to be killed piece by piece."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson

from tests.client import Client

QUICK = {
    "PICTURE_LEASE_SECONDS": "3",
    "PICTURE_HEARTBEAT_SECONDS": "0.5",
    "PICTURE_POLL_SECONDS": "0.5",
    "PICTURE_CANCEL_POLL_SECONDS": "0.1",
    "PICTURE_SWEEP_SECONDS": "0.5",
    "PICTURE_RETRY_SECONDS": "0.2",
    "PICTURE_ORPHAN_SECONDS": "0",
    "PICTURE_SILENCE_SECONDS": "0.5",
    "PICTURE_RESTART_SECONDS": "0.1,1",
    "PICTURE_GENERATIONS_PER_HOUR": "1000",
    "PICTURE_GENERATIONS_PER_DAY": "1000",
    "PICTURE_DRAIN_SECONDS": "3",
}
ROOT = Path(__file__).parents[2]
UNFINISHED = "select count(*) from image_generations where status in ('queued', 'processing', 'canceling')"
UNTIDY = "select count(*) from objects where state <> 'kept'"
KEYS = "select unnest(array[storage_path, small_path, medium_path]) as key from images"
FINALS = """
    select g.id, g.status, g.image_count,
        (select count(*) from images i where i.generation_id = g.id) as images,
        (select count(*) from generation_events e where e.generation_id = g.id and not e.will_retry
            and e.kind in ('completed', 'failed', 'canceled')) as ends
    from image_generations g
"""


@dataclass
class Up:
    """A running `picture up`."""

    home: Path
    environment: dict[str, str]
    port: int
    http: aiohttp.ClientSession
    process: asyncio.subprocess.Process
    heard: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

    async def command(self, *arguments: str) -> str:
        """What a `picture` command of this home prints."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "picture", *arguments, env=self.environment, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await process.communicate()
        assert process.returncode == 0, f"picture {' '.join(arguments)}: {process.returncode}"
        return printed.decode()

    def running(self, role: str) -> list[dict[str, Any]]:
        """What `picture up` says that it runs of a role."""
        return list(orjson.loads((self.home / "run.json").read_bytes())["roles"][role])

    def pid(self, role: str) -> int:
        """The process of a role."""
        return int(self.running(role)[0]["pid"])

    async def kill(self, role: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal, unwarned; the process that it hit."""
        pid = self.pid(role)
        os.kill(pid, number)
        return pid

    async def until_replaced(self, role: str, pid: int) -> None:
        """Wait until another process has the role."""
        async with asyncio.timeout(30):
            while not (running := self.running(role)) or running[0]["pid"] == pid:  # noqa: ASYNC110  # a file
                await asyncio.sleep(0.02)

    async def person(self, name: str) -> Client:
        """Somebody with a token of this home."""
        return Client(self.http, self.address, (await self.command("token", name)).strip())

    @asynccontextmanager
    async def database(self) -> AsyncIterator[asyncpg.Connection]:
        """The worker's view, to look and lock behind everybody's back."""
        connection = await asyncpg.connect(self.url("database_admin_url"))
        try:
            yield connection
        finally:
            await connection.close()

    def url(self, name: str) -> str:
        """An address that this home has given to a service."""
        return str(orjson.loads((self.home / "run.json").read_bytes())["addresses"][name])

    async def wait_for(self, query: str, wanted: object, seconds: float = 30) -> None:
        """Until a query gives this; Postgres may be away meanwhile. Fails saying what it gave last."""
        last: object = None
        try:
            async with asyncio.timeout(seconds):
                while last != wanted:
                    try:
                        async with self.database() as connection:
                            while (last := await connection.fetchval(query)) != wanted:  # noqa: ASYNC110
                                await asyncio.sleep(0.02)  # rows tell nobody
                    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                        last = error
        except TimeoutError:
            raise AssertionError(f"{query!r} gives {last!r}, not {wanted!r}") from None

    async def engine(self, path: str, body: dict[str, Any]) -> None:
        """Tell the simulated engine something."""
        async with self.http.post(f"{self.engine_address()}/simulator/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()

    def engine_address(self) -> str:
        """Where the simulated engine is."""
        return str(self.running("engine")[0]["address"])

    async def pause_at(self, **rule: Any) -> None:
        """The next run that this rule fits stops there until `release`."""
        await self.engine("rules", {"rule": [{"do": "pause", "times": 1, **rule}]})

    async def until_paused(self, name: str) -> None:
        """Wait until the engine stands still at the rule of this name."""
        address, seq = self.engine_address(), 0
        async with asyncio.timeout(30):
            while True:
                async with self.http.get(f"{address}/simulator/events?after={seq}&timeout=10&kind=paused") as answer:
                    events = (await answer.json())["events"]
                if any(event.get("name") == name for event in events):
                    return
                seq = max([seq, *(event["seq"] for event in events)])

    async def release(self) -> None:
        """Let the engine go on."""
        await self.engine("release", {})

    async def check_accounts(self) -> None:
        """Everything has ended once, with its images; storage holds what rows name, and what is not ours."""
        await self.wait_for(UNFINISHED, 0)
        await self.wait_for(UNTIDY, 0)
        async with self.database() as connection:
            for row in await connection.fetch(FINALS):
                expected = row["image_count"] if row["status"] == "completed" else 0
                assert (row["ends"], row["images"]) == (1, expected), dict(row)
            named = {row["key"] for row in await connection.fetch(KEYS)}
        assert set((await self.command("storage", "ls")).split()) == named


@asynccontextmanager
async def open_up(home: Path, **environment: str) -> AsyncIterator[Up]:
    """`picture up` in a home of its own, ended afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PICTURE_", "DATABASE_"))}
    given = {**inherited, **QUICK, "PICTURE_HOME": str(home), "PYTHONUNBUFFERED": "1", **environment}
    log = home.with_suffix(".log")
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "picture", "up", "--port", str(port), "--engine-seconds", "0.4",
            env=given, cwd=ROOT, stdout=file, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as http:
            up = Up(home, given, port, http, process)
            await _until_ready(up, log)
            yield up
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _until_ready(up: Up, log: Path) -> None:
    async with asyncio.timeout(90):
        while True:
            assert up.process.returncode is None, log.read_text()
            try:
                async with up.http.get(f"{up.address}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
