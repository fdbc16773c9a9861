"""What a request may say beside its prompt: a mask, tags, by when to start, that an earlier one is as good."""

import asyncio
from typing import Any

import pytest

from tests.client import Client, RefusedError
from tests.conftest import House
from tests.db.conftest import Execute

ESTIMATE = """query($input: CreateGenerationInput!) { generationEstimate(input: $input) {
  errors { __typename code path ... on NotFoundError { missingId } }
  width height cost queuePosition heldReason etaSeconds etaSecondsP90 } }"""
TAGS = "query($id: ID!) { generation(id: $id) { images { tags { name } } } }"
FOX = {"model": "flux-schnell", "prompt": "a red fox", "width": 256, "height": 256}


@pytest.fixture
async def execute(house: House) -> Execute:
    return Execute(await house.database())


async def estimate(client: Client, **input: Any) -> dict[str, Any]:
    return dict((await client.query(ESTIMATE, input={**FOX, **input}))["generationEstimate"])


async def used(client: Client) -> Any:
    return (await client.query("{ viewer { limits { generationsUsedToday } } }"))["viewer"]["limits"]


async def completed(client: Client, **input: Any) -> dict[str, Any]:
    return await client.until((await client.create_generation(**input))["id"], "COMPLETED")


async def refused(client: Client, **input: Any) -> tuple[str, list[str]]:
    (error,) = (await client.create(**input))["errors"]
    return error["code"], error["path"]


async def test_a_mask_makes_it_inpaint_and_is_of_the_sources_size(house: House, alice: Client, bob: Client) -> None:
    source, mask, wide = [
        (await completed(alice, seed=n, width=w))["images"][0]["id"] for n, w in enumerate((256, 256, 512))
    ]
    sd = {"model": "stable-diffusion-1.5", "sourceImageId": source}
    fox = await completed(alice, **sd, maskImageId=mask)
    assert (fox["mode"], len(fox["images"])) == ("INPAINT", 1)
    assert await refused(alice, **sd, maskImageId=wide) == ("INVALID", ["input", "maskImageId"])
    assert await refused(alice, **sd, maskImageId=mask, mode="IMAGE_TO_IMAGE") == ("INVALID", ["input", "maskImageId"])
    assert await refused(alice, maskImageId=mask) == ("UNSUPPORTED_BY_MODEL", ["input", "maskImageId"])
    alone = {"model": "stable-diffusion-1.5", "maskImageId": mask}
    assert await refused(alice, **alone) == ("INVALID", ["input", "sourceImageId"])
    assert await refused(bob, **alone) == ("NOT_FOUND", ["input", "maskImageId"])


async def test_images_carry_the_tags_that_were_asked_for(house: House, alice: Client) -> None:
    fox = await completed(alice, tags=[" Fox ", "night", "FOX"], imageCount=2)
    images = (await alice.query(TAGS, id=fox["id"]))["generation"]["images"]
    assert [[tag["name"] for tag in image["tags"]] for image in images] == [["fox", "night"]] * 2
    assert await refused(alice, tags=["fox", " "]) == ("INVALID", ["input", "tags", "1"])


async def test_what_does_not_start_in_time_expires_and_costs_nothing(api: House, alice: Client) -> None:
    assert await refused(alice, startWithinSeconds=9) == ("INVALID", ["input", "startWithinSeconds"])
    fox = await alice.create_generation(startWithinSeconds=10)
    patient = await alice.create_generation(startWithinSeconds=3600)
    execute = Execute(await api.database())
    async with alice.events(id=fox["id"]) as events:
        assert (await anext(events))["__typename"] == "GenerationSnapshot"
        await execute("update image_generations set start_before = start_before - interval '10 s'")
        await api.start_scheduler()
        failed = [event async for event in events if event["__typename"] == "GenerationFailed"]
    assert [(event["willRetry"], event["failure"]["code"], event["failure"]["retryable"]) for event in failed] == [
        (False, "EXPIRED", True)
    ]
    assert (await alice.require_generation(patient["id"]))["status"] == "QUEUED"
    assert await used(alice) == {"generationsUsedToday": 1}
    again = (await alice.mutate("retryGeneration", "generation { ...G }", id=fox["id"]))["generation"]
    assert again["status"] == "QUEUED", "with as much time as the first"


async def test_a_worker_does_not_start_what_is_too_late(api: House, alice: Client) -> None:
    fox, owl = await alice.create_generation(startWithinSeconds=10), await alice.create_generation()
    await Execute(await api.database())(
        "update image_generations set start_before = now() where start_before is not null"
    )
    await api.start_worker()
    assert (await alice.until(owl["id"], "COMPLETED"))["images"]
    late = await alice.until(fox["id"], "FAILED")
    assert (late["failure"]["code"], late["attempt"], late["startedAt"]) == ("EXPIRED", 0, None)


async def test_a_repeated_request_is_the_earlier_one_and_costs_nothing(
    house: House, alice: Client, bob: Client
) -> None:
    fox = await completed(alice, seed=7)
    before = await used(alice)
    assert (await alice.create_generation(seed=7, reuse=True))["id"] == fox["id"]
    assert (await estimate(alice, seed=7, reuse=True))["etaSeconds"] == 0
    assert await used(alice) == before
    others: list[dict[str, Any]] = [{}, {"seed": 8}, {"steps": 2}, {"imageCount": 2}, {"prompt": "a"}, {"width": 512}]
    for other in others:
        made = await alice.create_generation(**({"reuse": True, "seed": 7, **other} if other else {"reuse": True}))
        assert made["id"] != fox["id"], other
    assert (await alice.create_generation(seed=7))["id"] != fox["id"], "only when asked for"
    assert (await bob.create_generation(seed=7, reuse=True))["id"] != fox["id"], "never across people"


async def test_an_earlier_one_counts_no_more_without_its_images_or_with_other_files(
    house: House, alice: Client, execute: Execute
) -> None:
    first, second = await completed(alice, seed=1), await completed(alice, seed=2)
    await alice.mutate("deleteImage", "deletedId", id=first["images"][0]["id"])
    assert (await alice.create_generation(seed=1, reuse=True))["id"] != first["id"]
    await execute("update models set digest = 'of other files', updated_at = now()")
    assert (await alice.create_generation(seed=2, reuse=True))["id"] != second["id"]


async def test_a_key_stands_for_what_was_reused(house: House, alice: Client) -> None:
    fox = await completed(alice, seed=7)
    for _ in range(2):
        assert (await alice.create_generation(seed=7, reuse=True, idempotencyKey="fox"))["id"] == fox["id"]
    assert await refused(alice, seed=8, reuse=True, idempotencyKey="fox") == ("CONFLICT", ["input", "idempotencyKey"])


async def test_an_estimate_says_what_would_happen_and_writes_nothing(house: House, alice: Client) -> None:
    for seed in range(3):
        await completed(alice, seed=seed)
    async with asyncio.timeout(20):  # the sweep measures
        while (await alice.query('{ model(slug: "flux-schnell") { typicalSeconds } }'))["model"][
            "typicalSeconds"
        ] is None:
            pass
    house.apis.append(await house.start_api())  # which has not read the models yet
    fresh = alice.at(house.apis[-1])
    before = await used(alice)
    found = await estimate(fresh, width=None, height=None, aspectRatio="16:9", imageCount=2)
    assert (found["errors"], found["width"], found["height"], found["cost"]) == ([], 1376, 768, "0.006")
    assert (found["queuePosition"], found["heldReason"]) == (1, None)
    assert 0 < found["etaSeconds"] <= found["etaSecondsP90"]
    assert await used(alice) == before


async def test_an_estimate_stands_where_the_generation_would(api: House, alice: Client, bob: Client) -> None:
    found = await estimate(alice)
    assert (found["queuePosition"], found["heldReason"], found["etaSeconds"]) == (None, "NO_WORKER", None)
    await Execute(await api.database())(
        "insert into workers (name, engine, model_ids) select 'w', 'comfyui', array_agg(id) from models"
    )
    for client in (bob, bob, alice, bob):
        said = await estimate(client)
        made = await client.create_generation()
        assert said["queuePosition"] == made["queuePosition"], "as places() has it"
        assert said["etaSeconds"] == pytest.approx(made["etaSeconds"])


async def test_what_is_wrong_stands_in_the_estimate(empty_house: House) -> None:
    await empty_house.start_api(generations_per_hour=1)
    alice = empty_house.person("alice")
    wrong = await estimate(alice, sourceImageId="nothing")
    assert wrong["errors"] == [
        {"__typename": "NotFoundError", "code": "NOT_FOUND", "path": ["input", "sourceImageId"], "missingId": "nothing"}
    ]
    assert (await estimate(alice, prompt=""))["errors"][0]["path"] == ["input", "prompt"]
    await alice.create_generation(idempotencyKey="fox")
    full = await estimate(alice)
    assert ([error["code"] for error in full["errors"]], full["width"]) == (["RATE_LIMITED"], 256)
    assert (await estimate(alice, idempotencyKey="fox"))["errors"] == [], "it is made already"
    assert (await estimate(alice, idempotencyKey="fox", seed=1))["errors"][0]["code"] == "CONFLICT"
    with pytest.raises(RefusedError) as nobody:
        await estimate(Client(alice.http, alice.address))
    assert nobody.value.code == "UNAUTHENTICATED"
