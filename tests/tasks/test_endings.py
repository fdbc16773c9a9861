"""How a generation may end otherwise, as its owner is told."""

from typing import Any
from uuid import uuid4

import pytest

from tests.client import Client
from tests.conftest import House

NEVER_RETRIED = [
    ({"do": "validation_error"}, "INVALID_WORKFLOW"),
    ({"do": "node_error", "at_step": 1}, "NODE_ERROR"),
]
RETRIED = [
    ({"do": "out_of_memory", "at_step": 1}, "OUT_OF_MEMORY"),
    ({"do": "no_output"}, "NO_OUTPUT"),
    ({"do": "half_response", "match": {"path": "/view"}}, None),
    ({"do": "crash", "at_step": 1}, "ENGINE_UNAVAILABLE"),
]


@pytest.mark.parametrize(("rule", "code"), NEVER_RETRIED)
async def test_what_cannot_be_mended_fails_at_once(
    house: House, alice: Client, rule: dict[str, Any], code: str
) -> None:
    house.engine.add(**rule)
    fox = await alice.create_generation()
    fox = await alice.until(fox["id"], "FAILED", "COMPLETED")
    assert (fox["status"], fox["attempt"], fox["failure"]["code"]) == ("FAILED", 1, code)
    assert fox["failure"]["retryable"] is False
    assert "/" not in fox["failure"]["message"], "no path of a server is shown"
    assert fox["images"] == []


@pytest.mark.parametrize(("rule", "code"), RETRIED)
async def test_what_may_pass_is_tried_again(
    house: House, alice: Client, rule: dict[str, Any], code: str | None
) -> None:
    house.engine.add(times=1, **rule)
    fox = await alice.create_generation()
    failures, restarted = [], False
    async with alice.events(id=fox["id"], progress=False) as events:
        async for event in events:
            if event["__typename"] == "GenerationFailed":
                failures.append((event["failure"]["code"], event["willRetry"]))
            if event["__typename"] == "GenerationStarted" and rule["do"] == "crash" and not restarted:
                restarted = True
                await house.engine.until("crashed")
                await house.engine.start()
    assert failures == ([(code, True)] if code else [])
    fox = await alice.require_generation(fox["id"])
    assert (fox["status"], fox["attempt"], len(fox["images"])) == ("COMPLETED", 1 + len(failures), 1)


async def test_a_failure_gives_the_limit_back(house: House, alice: Client) -> None:
    house.engine.add(do="node_error", at_step=1)
    await alice.until((await alice.create_generation())["id"], "FAILED")
    await alice.until((await alice.create_generation())["id"], "COMPLETED")
    viewer = (await alice.query("{ viewer { limits { generationsUsedThisHour running queued } } }"))["viewer"]
    assert viewer["limits"] == {"generationsUsedThisHour": 1, "running": 0, "queued": 0}


async def test_a_running_generation_is_canceled_within_its_grace(house: House, alice: Client) -> None:
    house.engine.add(do="pause", at_step=2, name="here")
    fox = await alice.create_generation()
    await house.engine.until("paused", name="here")
    canceling = await alice.cancel(fox["id"])
    assert canceling["generation"]["status"] == "CANCELING"
    fox = await alice.until(fox["id"], "CANCELED")
    assert (fox["images"], fox["failure"]) == ([], None)


async def test_a_waiting_generation_is_canceled_at_once(api: House, alice: Client) -> None:
    fox = await alice.create_generation()
    assert fox["heldReason"] == "NO_WORKER"
    canceled = await alice.cancel(fox["id"])
    assert (canceled["generation"]["status"], canceled["errors"]) == ("CANCELED", [])
    again = await alice.cancel(fox["id"])
    assert (again["generation"]["status"], again["errors"]) == ("CANCELED", [])


async def test_what_has_ended_cannot_be_canceled(house: House, alice: Client) -> None:
    fox = await alice.create_generation()
    await alice.until(fox["id"], "COMPLETED")
    refused = await alice.cancel(fox["id"])
    assert refused["errors"][0]["__typename"] == "ConflictError"


async def test_a_retry_is_a_new_generation_and_only_one(house: House, alice: Client) -> None:
    house.engine.add(do="node_error", at_step=1)
    fox = await alice.create_generation(seed=3)
    await alice.until(fox["id"], "FAILED")
    house.engine.add(do="pause", at_step=1, name="retry")
    retry = (await alice.mutate("retryGeneration", "generation { ...G }", id=fox["id"]))["generation"]
    again = (await alice.mutate("retryGeneration", "generation { ...G }", id=fox["id"]))["generation"]
    assert (again["id"], retry["retryOf"]["id"], retry["seed"]) == (retry["id"], fox["id"], 3)
    await house.engine.until("paused", name="retry")
    house.engine.release()
    await alice.until(retry["id"], "COMPLETED")


async def test_a_deleted_generation_leaves_its_images(house: House, alice: Client) -> None:
    fox = await alice.create_generation()
    fox = await alice.until(fox["id"], "COMPLETED")
    deleted = await alice.mutate("deleteGeneration", "deletedId", id=fox["id"])
    assert (deleted["deletedId"], deleted["errors"]) == (fox["id"], [])
    assert await alice.get_generation(fox["id"]) is None
    image = (
        await alice.query("query($id: ID!) { image(id: $id) { prompt generation { id } } }", id=fox["images"][0]["id"])
    )["image"]
    assert image == {"prompt": "a red fox", "generation": None}


async def test_a_worker_told_to_stop_finishes_what_it_runs(api: House, alice: Client) -> None:
    stop = await api.start_worker()
    api.engine.add(do="pause", at_step=1, name="stopping")
    fox = await alice.create_generation()
    await api.engine.until("paused", name="stopping")
    api.engine.release()
    await stop()
    assert (await alice.require_generation(fox["id"]))["status"] == "COMPLETED"


async def test_a_worker_that_may_not_finish_gives_it_back(api: House, alice: Client) -> None:
    stop = await api.start_worker(drain_seconds=0)
    api.engine.add(do="pause", at_step=1, name="stopping")
    fox = await alice.create_generation()
    await api.engine.until("paused", name="stopping")
    await stop()
    fox = await alice.require_generation(fox["id"])
    assert (fox["status"], fox["attempt"], fox["failure"]) == ("QUEUED", 1, None)
    api.engine.release()
    await api.start_worker()
    fox = await alice.until(fox["id"], "COMPLETED")
    assert (fox["attempt"], len(fox["images"])) == (2, 1)


async def test_image_to_image_begins_with_the_source(house: House, alice: Client) -> None:
    settings = {"model": "stable-diffusion-1.5", "prompt": "a blue bird", "width": 512, "height": 512}
    source = await alice.until((await alice.create_generation(**settings))["id"], "COMPLETED")
    given = {**settings, "sourceImageId": source["images"][0]["id"], "strength": 0.4, "seed": 1}
    derived = await alice.until((await alice.create_generation(**given))["id"], "COMPLETED")
    assert (derived["mode"], derived["strength"]) == ("IMAGE_TO_IMAGE", 0.4)
    assert derived["sourceImage"]["id"] == source["images"][0]["id"]


@pytest.mark.parametrize("wanted", [True, False])
async def test_previews_come_only_where_asked_for(house: House, alice: Client, wanted: bool) -> None:
    house.engine.add(do="pause", at_step=1, name="begin")
    house.engine.add(do="pause", at_step=3, name="end")
    fox = await alice.create_generation()
    await house.engine.until("paused", name="begin")
    names = []
    async with alice.events(id=fox["id"], previews=wanted) as events:
        async for event in events:
            names.append(event["__typename"])
            if event["__typename"] == "GenerationSnapshot":
                house.engine.release("begin")
            if event["__typename"] == "GenerationPreviewed":
                assert event["dataUrl"].startswith("data:image/jpeg;base64,")
                assert len(event["dataUrl"]) < 34_000
            if names[-1] == ("GenerationPreviewed" if wanted else "GenerationProgressed"):
                house.engine.release("end")
    assert ("GenerationPreviewed" in names) is wanted
    assert names[-1] == "GenerationCompleted"


async def test_a_worker_removes_what_its_predecessor_left_in_the_engine(api: House, alice: Client) -> None:
    left = api.engine.folder / "output" / "picture" / str(uuid4())
    foreign = api.engine.folder / "output" / "somebody" / "else.png"
    for path in (left / "i_00001_.png", foreign):
        path.parent.mkdir(parents=True)
        path.touch()
    await api.start_worker()
    await alice.until((await alice.create_generation())["id"], "COMPLETED")
    assert not left.exists()
    assert foreign.exists()
