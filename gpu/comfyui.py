"""A ComfyUI server as an engine: the client of a worker."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from gpu import wire
from gpu.engine import EngineStats, OutputImage
from gpu.errors import EngineError, EngineUnavailableError
from gpu.listener import Listener
from gpu.patience import Patience
from gpu.runs import Run
from gpu.server import Server, open_http

FOLDER = "picture"
"""Below ComfyUI's output and input folders, everything of ours is in here."""

UUID_CHARACTERS = 36
_PLAIN_NAME = re.compile(r"[\w-][\w.-]{0,127}")


@asynccontextmanager
async def open_client(
    url: str, folder: Path | None = None, patience: Patience | None = None
) -> AsyncIterator["Client"]:
    """A client of the ComfyUI at `url`, which need not be up yet; `folder` is where its `output` and `input` lie."""
    patience = patience or Patience()
    async with open_http(patience.request_timeout_seconds) as http:
        server = Server(http, url, patience.request_timeout_seconds)
        client = Client(server, folder, patience)
        client.listener = Listener(http, url, client.deliver, client.nudge)
        listening = asyncio.create_task(client.listener.listen())
        try:
            yield client
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening


class Client:
    """One per ComfyUI server; made by open_client."""

    listener: Listener

    def __init__(self, server: Server, folder: Path | None, patience: Patience) -> None:
        self._server = server
        self._folder = folder
        self._patience = patience
        self._runs: dict[str, Run] = {}
        self._canceled: set[str] = set()

    @asynccontextmanager
    async def run(self, prompt_id: UUID) -> AsyncIterator[Run]:
        """A run to submit or adopt, already registered for its events; leaving it does not stop it."""
        run = Run(prompt_id, self._server, self.listener, self._patience, self._canceled)
        self._runs[str(prompt_id)] = run
        try:
            yield run
        finally:
            del self._runs[str(prompt_id)]
            self._canceled.discard(str(prompt_id))

    async def upload(self, path: Path, name: str) -> str:
        """Put a source image among the inputs; its `source_image`. `name` begins with the attempt's id, for clean."""
        if not _PLAIN_NAME.fullmatch(name):
            raise ValueError("an upload's name is a plain file name")
        return await self._server.upload(path, name, FOLDER)

    async def download(self, image: OutputImage, into: Path) -> None:
        """Write the image to `into`, whole or not at all. Raises EngineError (no_output) when it is gone."""
        await self._server.download(image, into)

    async def cancel(self, prompt_id: UUID) -> None:
        """Take the run out of the queue, or interrupt it; nothing if it has ended. The run tells how it ended."""
        self._canceled.add(str(prompt_id))
        try:
            await self._server.cancel(str(prompt_id))
        finally:
            if run := self._runs.get(str(prompt_id)):
                run.nudge()
            else:
                self._canceled.discard(str(prompt_id))

    async def clean(self, prompt_id: UUID) -> None:
        """Forget an ended run: its history, and where `folder` is known its outputs and inputs. Never raises."""
        with suppress(EngineUnavailableError):
            await self._server.post("/history", {"delete": [str(prompt_id)]})
        if self._folder is not None:
            await asyncio.to_thread(_remove, self._folder, prompt_id)

    async def clean_but(self, kept: Collection[UUID]) -> None:
        """Remove the files of all runs but these: an earlier process of this worker may have died before it could."""
        if self._folder is not None:
            await asyncio.to_thread(_remove_but, self._folder, {str(id) for id in kept})

    async def free(self) -> None:
        """Unload all models and drop the caches, after the running prompt if there is one."""
        await self._server.post("/free", {"unload_models": True, "free_memory": True})

    async def files(self, folders: Iterable[str] | None = None) -> dict[str, frozenset[str]]:
        """The model files in each folder key; all keys that the engine has, unless some are named."""
        keys = list(await self._server.get("/models") or ()) if folders is None else list(folders)
        return {key: frozenset(await self._server.get(f"/models/{key}") or ()) for key in keys}

    async def stats(self) -> EngineStats:
        """Its version and its first device."""
        try:
            return _stats(await self._server.get("/system_stats"))
        except (KeyError, TypeError, IndexError) as error:
            raise EngineError("The engine is no ComfyUI.", code="engine_unavailable") from error

    def deliver(self, event: wire.Event) -> None:
        """Hand an event to the run that it concerns."""
        if run := self._runs.get(event.prompt_id or ""):
            run.hear(event)

    def nudge(self) -> None:
        """The socket is lost: every run looks for itself."""
        for run in self._runs.values():
            run.nudge()


def _stats(body: Any) -> EngineStats:
    device = body["devices"][0]
    return EngineStats(
        version=str(body["system"]["comfyui_version"]),
        device=str(device["name"]),
        vram_total_bytes=int(device["vram_total"]),
        vram_free_bytes=int(device["vram_free"]),
    )


def _remove(folder: Path, prompt_id: UUID) -> None:
    shutil.rmtree(folder / "output" / FOLDER / str(prompt_id), ignore_errors=True)
    for path in (folder / "input" / FOLDER).glob(f"{prompt_id}*"):
        with suppress(OSError):
            path.unlink()


def _remove_but(folder: Path, kept: Collection[str]) -> None:
    for path in (*(folder / "output" / FOLDER).glob("*"), *(folder / "input" / FOLDER).glob("*")):
        attempt = path.name[:UUID_CHARACTERS]
        if _is_uuid(attempt) and attempt not in kept:
            _remove(folder, UUID(attempt))


def _is_uuid(text: str) -> bool:
    with suppress(ValueError):
        return str(UUID(text)) == text
    return False
