"""The processes that make Picture: what each is started with, and how one knows that it is there."""

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from picture.home import Home
from picture.processes import Command
from picture.settings import Settings, local_address, variable
from picture.supervisor import NotReadyError, Part
from picture.tokens import PERSON, local_token

DATABASES = ("database_url", "database_worker_url", "database_admin_url")
ADDRESSES = (*DATABASES, "redis_url", "comfyui_url", "public_url")
FORCE_SECONDS = 3.0
GRAPHIQL_TOKEN_SECONDS = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one home; each is told the addresses that it needs, and no others."""

    settings: Settings
    home: Home
    engine_ports: tuple[int, ...]  # chosen once, while nobody listens there
    is_quiet: bool  # they write into files of the home, and not to where we do

    def api(self) -> Part:
        """The API; ready when all that it depends on is."""
        settings = self.settings
        own = {
            "DATABASE_URL": settings.require("database_url"),
            "REDIS_URL": settings.require("redis_url"),
            "PICTURE_HOST": settings.host,
            "PICTURE_PORT": str(settings.port),
            "PICTURE_PUBLIC_URL": settings.public_url,
        }
        if settings.graphiql and settings.token_secret:
            token = local_token(settings, PERSON, ttl_seconds=GRAPHIQL_TOKEN_SECONDS)
            own["PICTURE_GRAPHIQL_TOKEN"] = token
        address = local_address(settings.host, settings.port)
        return Part("api", self.command("api", own), address, ready=lambda: _answers(f"{address}/readyz"))

    def scheduler(self) -> Part:
        """The scheduler."""
        return Part("scheduler", self.command("scheduler", self._of_jobs()))

    def worker(self, index: int) -> Part:
        """One worker, and the engine that is its own."""
        name = self.settings.worker_name or socket.gethostname()
        own = self._of_jobs()
        own["PICTURE_WORKER_NAME"] = f"{name}-{index + 1}" if self.settings.workers > 1 else name
        if self.settings.comfyui_url:
            own["COMFYUI_URL"] = self.settings.comfyui_url
        else:
            own["COMFYUI_URL"] = self._engine_address(index)
            own["PICTURE_COMFYUI_FOLDER"] = str(self._engine_folder(index))
        return Part("worker", self.command("worker", own))

    def engine(self, index: int) -> Part:
        """One simulated ComfyUI."""
        address = self._engine_address(index)
        options = ["--port", address.rsplit(":", 1)[1], "--folder", str(self._engine_folder(index))]
        options += ["--seconds", f"{self.settings.engine_seconds:g}"]
        if self.settings.engine_script:
            options += ["--script", str(self.settings.engine_script)]
        command = self.command("engine", {}, *options, log=self._log(_numbered("engine", index)))
        return Part("engine", command, address, ready=lambda: _answers(f"{address}/system_stats"))

    def migration(self) -> Command:
        """The command that brings the database to today's shape, and ends."""
        own = {variable(name): self.settings.require(name) for name in DATABASES}
        wait = f"{self.settings.start_timeout_seconds:g}"
        return self.command("migrate", own, "--wait", wait, log=self._log("migrate"))

    def command(self, role: str, own: dict[str, str], *options: str, log: Path | None = None) -> Command:
        """How `picture <role>` is started."""
        inherited = {key: value for key, value in os.environ.items() if key not in map(variable, ADDRESSES)}
        # What runs is given back in order before the supervisor ends it by force.
        drain = min(self.settings.drain_seconds, max(0.0, self.settings.stop_timeout_seconds - FORCE_SECONDS))
        house = {"PICTURE_HOME": str(self.home.path), "PICTURE_DRAIN_SECONDS": f"{drain:g}"}
        env = {**inherited, **house, **own}
        arguments = [sys.executable, "-m", "picture", role, *options]
        return Command(arguments, env=env, log=log or (self._log(role) if self.is_quiet else None))

    def _of_jobs(self) -> dict[str, str]:
        return {
            "DATABASE_WORKER_URL": self.settings.require("database_worker_url"),
            "REDIS_URL": self.settings.require("redis_url"),
        }

    def _engine_address(self, index: int) -> str:
        return local_address("127.0.0.1", self.engine_ports[index])

    def _engine_folder(self, index: int) -> Path:
        return self.home.folder(_numbered("engine", index))

    def _log(self, name: str) -> Path:
        return self.home.folder("logs") / f"{name}.log"


def _numbered(role: str, index: int) -> str:
    return f"{role}-{index + 1}"


async def _answers(address: str) -> None:
    try:
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(address) as response:
            if response.status != 200:
                raise NotReadyError(f"{address} answers {response.status}")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise NotReadyError from error
