"""A client of the simulator's own tests: it posts graphs, and keeps all that its socket hears."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp

from gpu.simulator import Engine

_WAIT_SECONDS = 10.0


def graph(prompt: str = "a lighthouse at dusk", *, seed: int = 1, steps: int = 3, batch: int = 1) -> dict[str, Any]:
    """Text to image, small."""
    model, clip, vae = (["1", slot] for slot in range(3))
    sampling = {
        "seed": seed,
        "steps": steps,
        "cfg": 7.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
    }
    wires = {"model": model, "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0]}
    return {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd_xl_base_1.0.safetensors"}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": prompt, "clip": clip}},
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": clip}},
        "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": batch}},
        "5": {"class_type": "KSampler", "inputs": {**sampling, **wires}},
        "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": vae}},
        "7": {"class_type": "SaveImage", "inputs": {"filename_prefix": "t/i", "images": ["6", 0]}},
    }


class Watcher:
    """One socket, and the HTTP beside it."""

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse, client_id: str) -> None:
        self.http, self.socket, self.client_id = http, socket, client_id
        self.events: list[dict[str, Any]] = []
        self.frames: list[bytes] = []
        self._news = asyncio.Event()
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self.frames.append(message.data)
            else:
                self.events.append(json.loads(message.data))
            self._news.set()

    @property
    def kinds(self) -> list[str]:
        """The events' types, in their order."""
        return [event["type"] for event in self.events]

    async def post(self, graph: dict[str, Any], **more: Any) -> str:
        """Queue a graph; its id."""
        body = {"prompt": graph, "client_id": self.client_id, "prompt_id": str(uuid4()), **more}
        async with self.http.post("/prompt", json=body) as response:
            assert response.status == 200, await response.text()
            return str((await response.json())["prompt_id"])

    async def until(self, kind: str, prompt_id: str, **about: Any) -> dict[str, Any]:
        """The first event of this kind about this prompt."""
        wanted = {"prompt_id": prompt_id, **about}
        async with asyncio.timeout(_WAIT_SECONDS):
            while True:
                self._news.clear()
                for event in self.events:
                    if event["type"] == kind and wanted.items() <= event["data"].items():
                        return dict(event["data"])
                await self._news.wait()

    async def run(self, graph: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Post a graph and wait for its end; its history."""
        prompt_id = await self.post(graph, **more)
        await self.until("executing", prompt_id, node=None)
        return await self.history(prompt_id)

    async def history(self, prompt_id: str) -> dict[str, Any]:
        """What the history knows of a prompt; {} for nothing."""
        found = await self.get(f"/history/{prompt_id}")
        return dict(found.get(prompt_id, {}))

    async def get(self, path: str) -> Any:
        """A JSON answer."""
        async with self.http.get(path) as response:
            assert response.status == 200
            return await response.json()


@asynccontextmanager
async def watch(engine: Engine) -> AsyncIterator[Watcher]:
    """A client that listens to this engine."""
    name, hello = str(uuid4()), {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
    http = aiohttp.ClientSession(engine.url)
    async with http, http.ws_connect(f"/ws?clientId={name}", max_msg_size=0) as socket:
        await socket.send_json(hello)
        yield Watcher(http, socket, name)
