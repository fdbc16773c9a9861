"""The requests of recordings of a real ComfyUI, played to the simulated one: what a client relies on is the same."""

from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from gpu.simulator import open_simulator
from tests.gpu.replay import Replay

# Recordings of one process, in their order: numbers, caches and file names go on from one to the next.
SESSIONS = {
    "from a first picture to a list of jobs": ["a", "b", "a2", "a3", "a4", "c", "d", "e", "f", "g", "h", "j"],
    "from ids to long nodes": ["j2", "j3", "f2"],
    "killed and started again": ["k"],
    "out of memory": ["m"],
    "one id and number twice": ["n"],
}
# Where only one thing happens at a time, even the order of `status` among the other events is fixed.
_BROKEN = {
    "do": "node_error",
    "match": {"class": "CheckpointLoaderSimple", "prompt": "broken.safetensors"},
    "type": "safetensors._safetensors_rust.SafetensorError",
    "message": "Error while deserializing header: invalid JSON in header: expected value at line 1 column 1",
}

_FULL = {
    "do": "out_of_memory",
    "match": {"class": "ImageScale", "prompt": "oom/x"},
    "message": "CUDA out of memory. Tried to allocate 20.00 GiB. (message made by a test node)\n"
    "This error means you ran out of memory on your GPU.\n\n"
    "TIPS: If the workflow worked before you might have accidentally set the batch_size to a large number.",
}


@pytest.mark.parametrize("session", SESSIONS)
async def test_the_simulator_answers_as_the_recorded_server_did(session: str, tmp_path: Path) -> None:
    models = {"checkpoints": ["random-sd15.safetensors"], "loras": ["random-lora.safetensors"]}
    engine_of = open_simulator(
        folder=tmp_path, files=models, script={"rule": [_BROKEN, _FULL]}, preview_method="latent2rgb"
    )
    async with engine_of as engine, aiohttp.ClientSession(engine.url) as http:
        Image.new("RGB", (64, 64)).save(tmp_path / "input" / "example.png")
        replay = Replay(engine, http)
        if session == "out of memory":  # an earlier prompt had left its first node
            await replay.warm_up()
        for letter in SESSIONS[session]:
            if letter == "e":
                engine.state.folders.models["checkpoints"].insert(0, "broken.safetensors")
            await replay.play(letter, is_first=letter == SESSIONS[session][0])
            replay.nth = engine.state.posted
