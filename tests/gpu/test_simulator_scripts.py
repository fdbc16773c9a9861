"""Each failure that a script can ask for, as a client sees it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gpu.simulator import Engine, Script, ScriptError, open_simulator
from tests.gpu.watching import Watcher, graph, watch

SCRIPTS = sorted((Path(__file__).parents[2] / "gpu" / "simulator" / "scripts").glob("*.toml"))


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_simulator(folder=tmp_path) as engine:
        yield engine


@pytest.fixture
async def watcher(engine: Engine) -> AsyncIterator[Watcher]:
    async with watch(engine) as watcher:
        yield watcher


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_each_packaged_script_can_be_read(path: Path) -> None:
    script = Script.load(path)
    assert script.rules or script.missing
    assert Script.load(Path(path.stem)).rules == script.rules


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[rule]]\ndo = "explode"', "one of"),
        ('[[rule]]\ndo = "hang"\nmatch = { colour = "red" }', "'colour'"),
        ('[[rule]]\ndo = "hang"\nat = "noon"', "one of"),
        ('[[rule]]\ndo = "hang"\nwhenever = 3', "'whenever'"),
        ("[[rules]]", "only [[rule]]"),
        ("[[rule", "Expected"),
    ],
)
def test_a_script_that_means_nothing_says_why(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "script.toml"
    path.write_text(text)
    with pytest.raises(ScriptError, match=r".*" + said.replace("[", r"\[")):
        Script.load(path)


async def test_a_refused_prompt_leaves_no_trace(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="validation_error")
    async with watcher.http.post("/prompt", json={"prompt": graph()}) as response:
        assert response.status == 400
        assert (await response.json())["node_errors"]["1"]["class_type"] == "CheckpointLoaderSimple"
    assert await watcher.get("/prompt") == {"exec_info": {"queue_remaining": 0}}
    assert (await watcher.run(graph()))["status"]["status_str"] == "success"


@pytest.mark.parametrize(
    ("rule", "node", "type", "message"),
    [
        ({"do": "node_error", "at_step": 2, "message": "no"}, "5", "RuntimeError", "no\n"),
        ({"do": "node_error", "match": {"class": "VAEDecode"}, "type": "ValueError"}, "6", "ValueError", None),
        ({"do": "oom"}, "5", "torch.OutOfMemoryError", None),
        ({"do": "node_error", "match": {"prompt": "a fox"}}, None, None, None),
        ({"do": "node_error", "match": {"nth": 2}}, None, None, None),
    ],
)
async def test_a_node_fails_where_the_script_says(
    engine: Engine, watcher: Watcher, rule: dict[str, Any], node: str | None, type: str | None, message: str | None
) -> None:
    engine.add(**rule)
    entry = await watcher.run(graph("a cat"))
    kind, said = entry["status"]["messages"][-1]
    if node is None:
        assert kind == "execution_success"
        return
    assert (kind, said["node_id"], said["exception_type"]) == ("execution_error", node, type)
    assert message is None or said["exception_message"] == message
    assert (await watcher.run(graph("a cat", seed=2)))["status"]["status_str"] == "success"


async def test_nothing_to_show(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="no_output")
    entry = await watcher.run(graph())
    assert (entry["status"]["status_str"], entry["outputs"]) == ("success", {})
    assert "executed" not in watcher.kinds
    assert (await watcher.run(graph()))["outputs"]["7"]["images"]


async def test_a_cached_output_names_a_file_that_is_gone(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="cached")
    entry = await watcher.run(graph())
    assert entry["status"]["messages"][1][1]["nodes"] == list(graph())
    (shown,) = entry["outputs"]["7"]["images"]
    async with watcher.http.get("/view", params=shown) as response:
        assert response.status == 404


async def test_a_hang_says_nothing_and_hears_nothing(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="hang", at_step=2)
    prompt_id = await watcher.post(graph())
    await engine.until("fired")
    async with watcher.http.post("/interrupt", json={"prompt_id": prompt_id}) as response:
        assert response.status == 200
    await watcher.until("progress", prompt_id, value=2)
    assert (await watcher.get("/queue"))["queue_running"][0][1] == prompt_id
    assert watcher.kinds[-1] == "progress"


async def test_a_slow_loader_is_waited_for(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="slow_load", seconds=0.2)
    entry = await watcher.run(graph())
    first, *_, last = entry["status"]["messages"]
    assert last[1]["timestamp"] - first[1]["timestamp"] >= 190


async def test_a_dropped_socket_ends_without_a_word_and_the_run_goes_on(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="drop_socket", at_step=1)
    prompt_id = await watcher.post(graph())
    await engine.until("finished", prompt_id=prompt_id)
    await watcher.reading
    assert watcher.socket.close_code == 1006
    assert (await watcher.history(prompt_id))["status"]["completed"]


async def test_a_silent_socket_stays_open(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="silent_socket", at="start")
    prompt_id = await watcher.post(graph())
    await engine.until("finished", prompt_id=prompt_id)
    assert "executed" not in watcher.kinds
    assert not watcher.socket.closed
    async with watch(engine) as another:
        await another.run(graph(seed=2))


async def test_a_lost_history_never_comes(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="lose_history")
    prompt_id = await watcher.post(graph())
    await watcher.until("executing", prompt_id, node=None)
    assert await watcher.history(prompt_id) == {}


async def test_a_crash_cuts_all_and_the_engine_can_be_started_again(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="crash", at_step=2)
    prompt_id = await watcher.post(graph())
    await engine.until("crashed")
    await watcher.reading
    assert watcher.socket.close_code == 1006
    with pytest.raises(aiohttp.ClientConnectionError):
        await watcher.history(prompt_id)
    await engine.start()
    async with watch(engine) as again:
        assert await again.history(prompt_id) == {}
        assert (await again.run(graph()))["status"]["completed"]


async def test_a_dead_worker_takes_prompts_and_runs_none(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="dead_worker")
    prompt_id = await watcher.post(graph())
    await engine.until("worker_died")
    queue = await watcher.get("/queue")
    assert queue["queue_running"] == []
    assert [item[1] for item in queue["queue_pending"]] == [prompt_id]


async def test_a_path_fails_as_often_as_told(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="http_500", match={"path": "/queue"}, times=2)
    seen = []
    for path in ("/queue", "/api/queue", "/queue", "/prompt"):
        async with watcher.http.get(path) as response:
            seen.append(response.status)
    assert seen == [500, 500, 200, 200]


async def test_the_second_image_breaks_off_in_its_middle(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="half_response", match={"path": "/view", "nth": 2})
    entry = await watcher.run(graph())
    (shown,) = entry["outputs"]["7"]["images"]
    async with watcher.http.get("/view", params=shown) as response:
        whole = await response.read()
    async with watcher.http.get("/view", params=shown) as response:
        assert response.content_length == len(whole)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_an_answer_is_lost_and_the_prompt_runs(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="lose_answer", match={"path": "/prompt", "method": "POST"})
    prompt_id = "0b7a30a5-8f3f-4be7-9d92-2a8b9a3c5d11"
    with pytest.raises(aiohttp.ClientConnectionError):
        await watcher.post(graph(), prompt_id=prompt_id)
    await engine.until("finished", prompt_id=prompt_id)
    assert (await watcher.history(prompt_id))["status"]["completed"]


async def test_a_stall_holds_every_answer(engine: Engine, watcher: Watcher) -> None:
    engine.add(do="stall", match={"path": "/system_stats"}, seconds=0.2)
    began = asyncio.get_running_loop().time()
    stalled = asyncio.create_task(watcher.get("/system_stats"))
    await engine.until("fired")
    await watcher.get("/queue")
    assert asyncio.get_running_loop().time() - began >= 0.19
    await stalled


async def test_a_request_can_be_paused_before_it_is_obeyed_and_before_it_is_answered(
    engine: Engine, watcher: Watcher
) -> None:
    engine.add(do="pause", match={"path": "/prompt", "method": "POST"}, name="before")
    engine.add(do="pause", match={"path": "/prompt", "method": "POST"}, at="answer", name="after")
    posting = asyncio.create_task(watcher.post(graph()))
    await engine.until("paused", name="before")
    assert (await watcher.get("/queue"))["queue_running"] == []
    engine.release("before")
    await engine.until("paused", name="after")
    await engine.until("finished")
    assert not posting.done()
    engine.release("after")
    await posting
