"""Runs inside an engine, told by its events alone: nobody looks in these tests, or they would time out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from gpu import catalogue, comfyui
from gpu.comfyui import Client
from gpu.engine import Finished, News, OutputImage, Previewed, Progressed, Staged
from gpu.errors import EngineError, InterruptedRunError
from gpu.patience import Patience
from gpu.simulator import Engine, open_simulator
from tests.gpu.runs import SD15, failed, follow, graph, made

NEVER_LOOK = Patience(silence_seconds=600, poll_seconds=600)


@pytest.fixture
async def client(engine: Engine) -> AsyncIterator[Client]:
    async with comfyui.open_client(engine.url, engine.folder, NEVER_LOOK) as client:
        yield client


def result(news: list[News]) -> tuple[OutputImage, ...]:
    assert isinstance(news[-1], Finished)
    return news[-1].images


async def test_a_run_ends_with_its_images(client: Client, tmp_path: Path) -> None:
    images = result(await made(client, imageCount=2))
    assert [image.filename for image in images] == ["i_00001_.png", "i_00002_.png"]
    await client.download(images[1], tmp_path / "second.png")
    assert Image.open(tmp_path / "second.png").size == (64, 64)


async def test_a_run_tells_its_stages_and_progress(client: Client) -> None:
    id = uuid4()
    async with client.run(id) as run:
        await run.submit(graph(id), previews=False)
        news = await follow(run)
    assert [item.stage for item in news if isinstance(item, Staged)] == [
        "preparing", "loading_model", "sampling", "decoding", "storing",
    ]  # fmt: skip
    assert [item.step for item in news if isinstance(item, Progressed) and item.step] == [1, 2, 3, 4]


@pytest.mark.parametrize("wanted", [True, False])
async def test_previews_come_when_they_are_wanted(client: Client, wanted: bool) -> None:
    id = uuid4()
    async with client.run(id) as run:
        await run.submit(graph(id), previews=wanted)
        jpegs = [news.jpeg async for news in run if isinstance(news, Previewed)]
    assert bool(jpegs) == wanted
    assert all(len(jpeg) <= 24_000 for jpeg in jpegs)


async def test_two_runs_hear_only_of_themselves(client: Client) -> None:
    results = await asyncio.gather(*(made(client, seed=seed) for seed in range(4)))
    assert len({result(news)[0].subfolder for news in results}) == 4


async def test_a_source_image_is_uploaded_and_used(client: Client, engine: Engine, tmp_path: Path) -> None:
    id, source = uuid4(), tmp_path / "source.png"
    Image.new("RGBA", (96, 64), "red").save(source)
    name = await client.upload(source, f"{id}.png")
    assert name == f"picture/{id}.png"
    assert await made(client, mode="image_to_image", sourceImage=name, strength=0.5)
    await client.clean(id)
    assert not (engine.folder / "input" / name).exists()


async def test_the_answered_name_of_an_upload_counts(client: Client, tmp_path: Path) -> None:
    red, blue = tmp_path / "red.png", tmp_path / "blue.png"
    Image.new("RGB", (8, 8), "red").save(red)
    Image.new("RGB", (8, 8), "blue").save(blue)
    names = [await client.upload(path, "a.png") for path in (red, red, blue)]
    assert names == ["picture/a.png", "picture/a.png", "picture/a (1).png"]


@pytest.mark.parametrize("name", ["../a.png", "a/b.png", "", ".hidden", "a b.png"])
async def test_an_upload_has_a_plain_name(client: Client, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError):
        await client.upload(tmp_path / "x.png", name)


async def test_cleaning_leaves_nothing_behind(client: Client, engine: Engine) -> None:
    id = uuid4()
    async with client.run(id) as run:
        await run.submit(graph(id), previews=False)
        await follow(run)
    await engine.until("finished")
    await client.clean(id)
    async with client.run(id) as run:
        assert not await run.adopt()
    assert [path for path in engine.folder.rglob("*.png") if str(id) in str(path)] == []
    await client.clean(id)


async def test_the_image_of_a_cleaned_run_is_gone(client: Client, tmp_path: Path) -> None:
    with pytest.raises(EngineError) as raised:
        await client.download(OutputImage("i_00001_.png", "picture/gone", "output"), tmp_path / "gone.png")
    assert (raised.value.code, raised.value.retryable) == ("no_output", True)
    assert not (tmp_path / "gone.png").exists()


async def test_an_unknown_node_class_is_refused_at_once(client: Client) -> None:
    changed = dict(graph(uuid4()))
    changed["1"] = {**changed["1"], "class_type": "NoSuchNode"}
    error = await failed(client, changed=changed)
    assert (error.code, error.node) == ("invalid_workflow", "1")


async def test_a_missing_checkpoint_is_a_missing_model(tmp_path: Path) -> None:
    script = {"files": {"missing": ["v1-5-pruned-emaonly-fp16.safetensors"]}}
    async with open_simulator(folder=tmp_path, script=script) as engine, comfyui.open_client(engine.url) as client:
        error = await failed(client)
        files = await client.files(catalogue.load().folders)
    assert (error.code, error.node) == ("model_missing", "1")
    assert not SD15.available(files, "text_to_image")
    assert SD15.available(files, "inpaint")


async def test_a_source_that_is_not_there_may_be_uploaded_again(client: Client) -> None:
    error = await failed(client, mode="image_to_image", sourceImage="picture/gone.png", strength=0.5)
    assert (error.code, error.retryable) == ("invalid_workflow", True)


async def test_a_graph_that_is_refused_in_part_is_withdrawn(client: Client, engine: Engine) -> None:
    id = uuid4()
    changed = {**graph(id), "20": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}}
    assert (await failed(client, changed=changed)).code == "invalid_workflow"
    assert await made(client)


@pytest.mark.parametrize(
    ("do", "code", "retryable"),
    [
        ("validation_error", "invalid_workflow", False),
        ("node_error", "node_error", False),
        ("out_of_memory", "out_of_memory", True),
    ],
)
async def test_a_failure_names_its_code_and_node(
    client: Client, engine: Engine, do: str, code: str, retryable: bool
) -> None:
    engine.add(do=do)
    error = await failed(client)
    assert (error.code, error.retryable) == (code, retryable)
    assert error.node
    assert "/" not in error.message
    await client.free()
    assert await made(client, seed=8)


async def test_a_run_that_saves_nothing_has_failed(client: Client, engine: Engine) -> None:
    engine.add(do="no_output")
    assert (await failed(client)).code == "no_output"


async def test_an_image_out_of_the_cache_may_be_gone(client: Client, engine: Engine, tmp_path: Path) -> None:
    engine.add(do="cached_output")
    images = result(await made(client))
    with pytest.raises(EngineError) as raised:
        await client.download(images[0], tmp_path / "gone.png")
    assert raised.value.code == "no_output"


async def test_a_running_run_is_canceled(client: Client, engine: Engine) -> None:
    engine.add(do="pause", at_step=2)
    id = uuid4()
    async with client.run(id) as run:
        await run.submit(graph(id), previews=False)
        await engine.until("paused")
        await client.cancel(id)
        engine.release()
        with pytest.raises(InterruptedRunError) as raised:
            await follow(run)
    assert raised.value.by_us


async def test_a_waiting_run_is_canceled(client: Client, engine: Engine) -> None:
    engine.add(do="pause", at_step=2)
    first, second = uuid4(), uuid4()
    async with client.run(first) as running, client.run(second) as waiting:
        await running.submit(graph(first), previews=False)
        await engine.until("paused")
        await waiting.submit(graph(second), previews=False)
        await client.cancel(second)
        with pytest.raises(InterruptedRunError) as raised:
            await follow(waiting)
        engine.release()
        assert isinstance((await follow(running))[-1], Finished)
    assert raised.value.by_us


async def test_canceling_before_the_post_posts_nothing(client: Client, engine: Engine) -> None:
    id = uuid4()
    async with client.run(id) as run:
        await client.cancel(id)
        with pytest.raises(InterruptedRunError):
            await run.submit(graph(id), previews=False)
    assert [event for event in engine.journal.events if event["kind"] == "posted"] == []


async def test_canceling_twice_or_too_late_harms_nothing(client: Client, engine: Engine) -> None:
    id = uuid4()
    async with client.run(id) as run:
        await run.submit(graph(id), previews=False)
        await engine.until("finished")
        await client.cancel(id)
        await client.cancel(id)
        assert isinstance((await follow(run))[-1], Finished)
    await client.cancel(uuid4())
    assert await made(client, seed=8)


async def test_anothers_interrupt_is_told_from_ours(client: Client, engine: Engine) -> None:
    engine.add(do="pause", at_step=2)
    id = uuid4()
    async with comfyui.open_client(engine.url) as another, client.run(id) as run:
        await run.submit(graph(id), previews=False)
        await engine.until("paused")
        await another.cancel(id)
        engine.release()
        with pytest.raises(InterruptedRunError) as raised:
            await follow(run)
    assert (raised.value.by_us, raised.value.retryable) == (False, True)


async def test_an_engine_says_what_it_is(client: Client) -> None:
    stats = await client.stats()
    assert stats.version == "0.33.0"
    assert stats.vram_total_bytes > stats.vram_free_bytes > 0
    assert "v1-5-pruned-emaonly-fp16.safetensors" in (await client.files())["checkpoints"]
    assert await client.files(["nowhere"]) == {"nowhere": frozenset()}
