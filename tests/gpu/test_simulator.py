"""What the recordings do not show, or not message by message."""

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from gpu.simulator import Engine, open_simulator
from tests.gpu.watching import Watcher, graph, watch

WORKFLOWS = sorted((Path(__file__).parents[2] / "gpu" / "workflows").glob("*.json"))


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_simulator(folder=tmp_path) as engine:
        yield engine


@pytest.fixture
async def watcher(engine: Engine) -> AsyncIterator[Watcher]:
    async with watch(engine) as watcher:
        yield watcher


def image_of(engine: Engine, entry: dict[str, Any], node: str = "7", index: int = 0) -> Image.Image:
    """A picture that a run has saved."""
    shown = entry["outputs"][node]["images"][index]
    with Image.open(engine.folder / shown["type"] / shown["subfolder"] / shown["filename"]) as image:
        image.load()
        return image


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
async def test_each_packaged_workflow_runs_to_an_image(engine: Engine, watcher: Watcher, path: Path) -> None:
    Image.new("RGBA", (120, 90), (200, 80, 40, 90)).save(engine.folder / "input" / "example.png")
    workflow = json.loads(path.read_text())
    entry = await watcher.run(workflow)
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    (output,) = entry["outputs"]
    sizes = [
        (node["inputs"]["width"], node["inputs"]["height"])
        for node in workflow.values()
        if isinstance(node["inputs"].get("width"), int)
    ]
    image = image_of(engine, entry, output)
    assert image.size in sizes or image.width == next(
        n["inputs"]["value"] for n in workflow.values() if "value" in n["inputs"]
    )


async def test_all_files_of_the_catalogue_are_there_unless_the_script_takes_one_away(tmp_path: Path) -> None:
    script = {"files": {"missing": ["sd_xl_base_1.0.safetensors"]}}
    async with open_simulator(folder=tmp_path, script=script) as engine, watch(engine) as watcher:
        checkpoints = await watcher.get("/models/checkpoints")
        assert "sd_xl_refiner_1.0.safetensors" in checkpoints
        assert "sd_xl_base_1.0.safetensors" not in checkpoints
        async with watcher.http.post("/prompt", json={"prompt": graph()}) as response:
            said = await response.json()
        assert said["node_errors"]["1"]["errors"][0]["type"] == "value_not_in_list"


async def test_a_cycle_is_refused(watcher: Watcher) -> None:
    looped = graph()
    looped["2"]["inputs"]["text"] = ["6", 0]
    looped["6"]["inputs"]["samples"] = ["6", 0]
    async with watcher.http.post("/prompt", json={"prompt": looped}) as response:
        said = await response.json()
    kinds = {error["type"] for node in said["node_errors"].values() for error in node["errors"]}
    assert response.status == 400
    assert kinds & {"dependency_cycle", "return_type_mismatch"}


async def test_history_comes_a_moment_after_the_last_event(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="pause", at="success")
    prompt_id = await watcher.post(graph())
    await watcher.until("execution_success", prompt_id)
    assert await watcher.history(prompt_id) == {}
    engine.release()
    await watcher.until("executing", prompt_id, node=None)
    assert (await watcher.history(prompt_id))["status"]["completed"]


async def test_images_of_a_batch_are_each_their_own(engine: Engine, watcher: Watcher) -> None:
    entry = await watcher.run(graph(batch=3))
    images = [image_of(engine, entry, index=n).tobytes() for n in range(3)]
    assert len(set(images)) == 3


async def test_a_picture_holds_its_graph_unless_it_is_encoded_anew(engine: Engine, watcher: Watcher) -> None:
    entry = await watcher.run(graph(), extra_data={"extra_pnginfo": {"trace": "abc"}})
    image = image_of(engine, entry)
    assert json.loads(image.info["prompt"])["5"]["class_type"] == "KSampler"
    assert json.loads(image.info["trace"]) == "abc"
    shown = "filename=i_00001_.png&subfolder=t"
    async with watcher.http.get(f"/view?{shown}&channel=rgb") as response:
        assert Image.open(io.BytesIO(await response.read())).info == {}
    async with watcher.http.get(f"/view?{shown}&preview=webp;90") as response:
        assert Image.open(io.BytesIO(await response.read())).format == "WEBP"


async def test_a_mask_upload_gives_the_original_its_alpha(engine: Engine, watcher: Watcher) -> None:
    Image.new("RGB", (8, 8), (9, 9, 9)).save(engine.folder / "input" / "plain.png")
    buffer = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 77)).save(buffer, "PNG")
    form = aiohttp.FormData({"original_ref": json.dumps({"filename": "plain.png", "type": "input"})})
    form.add_field("image", buffer.getvalue(), filename="masked.png")
    async with watcher.http.post("/upload/mask", data=form) as response:
        assert (await response.json())["name"] == "masked.png"
    with Image.open(engine.folder / "input" / "masked.png") as masked:
        assert masked.getpixel((3, 3)) == (9, 9, 9, 77)


async def test_no_previews_unless_the_prompt_asks_for_them(watcher: Watcher) -> None:
    await watcher.run(graph())
    assert watcher.frames == []
    await watcher.run(graph(seed=2), extra_data={"preview_method": "auto"})
    assert len(watcher.frames) == 3
    size = int.from_bytes(watcher.frames[0][4:8], "big")
    with Image.open(io.BytesIO(watcher.frames[0][8 + size :])) as preview:
        assert (preview.format, max(preview.size)) == ("JPEG", 512)


async def test_a_client_that_does_not_read_stops_the_events_of_all(engine: Engine, watcher: Watcher) -> None:
    noise = Image.frombytes("RGB", (1024, 1024), os.urandom(1024 * 1024 * 3))
    noise.save(engine.folder / "input" / "noise.png", compress_level=1)
    big = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "noise.png"}},
        "2": {"class_type": "SaveImageWebsocket", "inputs": {"images": ["1", 0]}},
    }
    async with aiohttp.ClientSession(engine.url) as http:
        deaf = await http.ws_connect("/ws?clientId=deaf", max_msg_size=0)  # nobody reads from it
        for _ in range(6):
            async with http.post("/prompt", json={"prompt": big, "client_id": "deaf"}) as response:
                assert response.status == 200
        prompt_id = await watcher.post(graph())
        await engine.until("finished", prompt_id=prompt_id)
        assert (await watcher.history(prompt_id))["status"]["completed"]
        assert "execution_start" not in watcher.kinds
        assert deaf._response.connection is not None
        assert deaf._response.connection.transport is not None
        deaf._response.connection.transport.abort()
        await watcher.until("executing", prompt_id, node=None)


async def test_a_restart_forgets_all_but_the_files(engine: Engine, watcher: Watcher) -> None:
    await watcher.run(graph())
    (engine.folder / "temp" / "left.png").touch()
    await engine.restart()
    await watcher.reading
    assert watcher.socket.close_code == 1006
    async with watch(engine) as again:
        assert await again.get("/history") == {}
        async with again.http.get("/view?filename=i_00001_.png&subfolder=t") as response:
            assert response.status == 200
        assert list((engine.folder / "temp").iterdir()) == []
        prompt_id = await again.post(graph())
        await again.until("executing", prompt_id, node=None)
        entry = await again.history(prompt_id)
        assert entry["prompt"][0] == 0
        assert entry["outputs"]["7"]["images"][0]["filename"] == "i_00002_.png"


async def test_a_run_takes_as_long_as_it_is_told(tmp_path: Path) -> None:
    async with open_simulator(folder=tmp_path, seconds=0.3) as engine, watch(engine) as watcher:
        entry = await watcher.run(graph())
        first, *_, last = entry["status"]["messages"]
        assert 250 < last[1]["timestamp"] - first[1]["timestamp"] < 3000


async def test_an_interrupt_ends_a_long_run_between_two_steps(tmp_path: Path) -> None:
    async with open_simulator(folder=tmp_path, seconds=60) as engine, watch(engine) as watcher:
        engine.state.seconds = 0  # read the weights first, which nothing interrupts
        await watcher.run(graph())
        engine.state.seconds = 60
        prompt_id = await watcher.post(graph(seed=2))
        await watcher.until("executing", prompt_id, node="5")
        async with watcher.http.post(f"/api/jobs/{prompt_id}/cancel") as response:
            assert await response.json() == {"cancelled": True}
        said = await watcher.until("execution_interrupted", prompt_id)
        assert (said["node_id"], said["executed"]) == ("5", [])


async def test_an_interrupt_waits_until_the_weights_are_read(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="pause", at="load")
    prompt_id = await watcher.post(graph())
    await engine.until("paused")
    async with watcher.http.post("/interrupt", json={"prompt_id": prompt_id}) as response:
        assert response.status == 200
    engine.release()
    said = await watcher.until("execution_interrupted", prompt_id)
    assert (said["node_id"], said["executed"]) == ("4", ["1"])


async def test_the_source_shows_through_and_only_the_mask_is_repainted(engine: Engine, watcher: Watcher) -> None:
    source = Image.new("RGBA", (512, 512), (20, 200, 40, 255))
    source.paste((20, 200, 40, 0), (0, 0, 256, 512))
    source.save(engine.folder / "input" / "example.png")
    inpaint = json.loads(next(path for path in WORKFLOWS if path.stem == "sd15-inpaint").read_text())
    entry = await watcher.run(inpaint)
    image = image_of(engine, entry, "13")
    assert image.getpixel((400, 100)) == (20, 200, 40)
    assert image.getpixel((100, 100)) != (20, 200, 40)


async def test_waiting_for_an_event_and_releasing_work_over_http(engine: Engine, watcher: Watcher) -> None:
    async with watcher.http.post("/simulator/rules", json={"rule": [{"do": "pause", "at_step": 2, "name": "second"}]}):
        pass
    asked = asyncio.create_task(watcher.get("/simulator/events?kind=paused&timeout=10"))
    prompt_id = await watcher.post(graph())
    (event,) = (await asked)["events"]
    assert (event["prompt_id"], event["step"], event["name"]) == (prompt_id, 2, "second")
    assert (await watcher.get("/queue"))["queue_running"][0][1] == prompt_id
    async with watcher.http.post("/simulator/release", json={"name": "another"}) as response:
        assert await response.json() == {"released": 0}
    async with watcher.http.post("/simulator/release") as response:
        assert await response.json() == {"released": 1}
    await watcher.until("execution_success", prompt_id)


async def test_a_long_poll_for_what_does_not_happen_ends(watcher: Watcher) -> None:
    assert await watcher.get("/simulator/events?kind=crashed&timeout=0.01") == {"events": []}
