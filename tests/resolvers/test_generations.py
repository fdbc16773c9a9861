"""Asking for generations, and reading them again."""

from typing import Any

import pytest

from tests.client import Client, RefusedError
from tests.conftest import House

MISSING = "mutation($id: ID!) { %s(id: $id) { errors { code path ... on NotFoundError { missingId } } } }"
WRONG: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"prompt": ""}, "INVALID", ["input", "prompt"]),
    ({"prompt": " \n"}, "INVALID", ["input", "prompt"]),
    ({"prompt": "a" * 4001}, "TOO_LARGE", ["input", "prompt"]),
    ({"prompt": "a\x00fox"}, "INVALID", ["input", "prompt"]),
    ({"negativePrompt": "blurry"}, "UNSUPPORTED_BY_MODEL", ["input", "negativePrompt"]),
    ({"width": 256, "height": None}, "INVALID", ["input", "height"]),
    ({"width": None, "height": 256}, "INVALID", ["input", "width"]),
    ({"width": 64, "height": 256}, "INVALID", ["input", "width"]),
    ({"width": 256, "height": 257}, "INVALID", ["input", "height"]),
    ({"width": 2048, "height": 2048}, "TOO_LARGE", ["input", "width"]),
    ({"aspectRatio": "16:9"}, "INVALID", ["input", "aspectRatio"]),
    ({"width": None, "height": None, "aspectRatio": "wide"}, "INVALID", ["input", "aspectRatio"]),
    ({"width": None, "height": None, "aspectRatio": "7:5"}, "UNSUPPORTED_BY_MODEL", ["input", "aspectRatio"]),
    ({"steps": 0}, "INVALID", ["input", "steps"]),
    ({"steps": 9}, "INVALID", ["input", "steps"]),
    ({"guidance": 3.5}, "UNSUPPORTED_BY_MODEL", ["input", "guidance"]),
    ({"imageCount": 0}, "INVALID", ["input", "imageCount"]),
    ({"imageCount": 5}, "INVALID", ["input", "imageCount"]),
    ({"mode": "UPSCALE"}, "UNSUPPORTED_BY_MODEL", ["input", "mode"]),
    ({"strength": 0.5}, "UNSUPPORTED_BY_MODEL", ["input", "strength"]),
    ({"sourceImageId": "SW1hZ2U6"}, "NOT_FOUND", ["input", "sourceImageId"]),
    ({"model": "no-such-model"}, "NOT_FOUND", ["input", "model"]),
    ({"idempotencyKey": ""}, "INVALID", ["input", "idempotencyKey"]),
    ({"idempotencyKey": "a" * 129}, "INVALID", ["input", "idempotencyKey"]),
    ({"idempotencyKey": "ключ"}, "INVALID", ["input", "idempotencyKey"]),
]


async def test_a_generation_is_as_it_was_asked_for(alice: Client) -> None:
    fox = await alice.create_generation(prompt="a red fox", seed=7, steps=3, imageCount=2, width=512, height=256)
    assert fox == await alice.require_generation(fox["id"])
    expected = {"status": "QUEUED", "progress": 0, "seed": 7, "steps": 3, "imageCount": 2, "width": 512, "height": 256}
    assert {name: fox[name] for name in expected} == expected
    assert (fox["mode"], fox["attempt"], fox["model"], fox["images"]) == (
        "TEXT_TO_IMAGE",
        0,
        {"slug": "flux-schnell"},
        [],
    )


async def test_what_is_left_open_is_filled_in(alice: Client) -> None:
    fox = await alice.create_generation(width=None, height=None)
    assert (fox["width"], fox["height"], fox["steps"], fox["imageCount"]) == (1024, 1024, 4, 1)
    assert 0 <= fox["seed"] < 2**53
    assert fox["seed"] != (await alice.create_generation())["seed"]


async def test_an_aspect_ratio_is_sized_to_what_the_model_is_made_for(alice: Client) -> None:
    for ratio, size in (("1:1", (1024, 1024)), ("16:9", (1376, 768)), ("9:21", (672, 1568))):
        fox = await alice.create_generation(width=None, height=None, aspectRatio=ratio)
        assert (fox["width"], fox["height"]) == size


async def test_what_is_wrong_names_its_field_and_nothing_is_written(alice: Client) -> None:
    for input, code, path in WRONG:
        payload = await alice.create(**input)
        assert payload["generation"] is None
        assert [(error["code"], error["path"]) for error in payload["errors"]] == [(code, path)], input
        assert payload["errors"][0]["message"].endswith(".")
    assert (await alice.query("{ generations { totalCount } }"))["generations"]["totalCount"] == 0


async def test_a_seed_that_is_no_big_integer_is_bad_input(alice: Client) -> None:
    for seed in (-1, 2**53, 1.5, "7"):
        with pytest.raises(RefusedError) as refused:
            await alice.create(seed=seed)
        assert refused.value.code == "BAD_USER_INPUT"


async def test_a_model_is_named_by_its_id_or_its_slug(alice: Client) -> None:
    model = (await alice.query('{ model(slug: "flux-schnell") { id } }'))["model"]
    assert (await alice.create_generation(model=model["id"]))["model"] == {"slug": "flux-schnell"}


async def test_the_same_key_makes_one_generation(alice: Client, bob: Client) -> None:
    fox = await alice.create_generation(idempotencyKey="fox 1")
    assert (await alice.create_generation(idempotencyKey="fox 1"))["id"] == fox["id"]
    assert (await bob.create_generation(idempotencyKey="fox 1"))["id"] != fox["id"]
    (error,) = (await alice.create(idempotencyKey="fox 1", prompt="another"))["errors"]
    assert (error["code"], error["path"]) == ("CONFLICT", ["input", "idempotencyKey"])


async def test_a_generation_is_seen_by_its_owner_only(alice: Client, bob: Client, nobody: Client) -> None:
    fox = await alice.create_generation(prompt="a red fox", isPublic=True)
    for other in (bob, nobody):
        assert await other.get_generation(fox["id"]) is None
        assert (await other.query("query($id: ID!) { node(id: $id) { id } }", id=fox["id"]))["node"] is None
        assert (await other.query("{ generations { edges { node { id } } } }"))["generations"]["edges"] == []


async def test_a_queued_generation_is_canceled_at_once_and_stays_so(alice: Client) -> None:
    fox = await alice.create_generation()
    for _ in range(2):
        payload = await alice.cancel(fox["id"])
        assert (payload["generation"]["status"], payload["errors"]) == ("CANCELED", [])


async def test_a_retry_names_what_it_repeats_and_is_asked_for_once(alice: Client) -> None:
    fox = await alice.create_generation(seed=7)
    (early,) = (await alice.mutate("retryGeneration", "generation { ...G }", id=fox["id"]))["errors"]
    assert early["code"] == "CONFLICT"
    await alice.cancel(fox["id"])
    first, second = [
        (await alice.mutate("retryGeneration", "generation { ...G }", id=fox["id"]))["generation"] for _ in range(2)
    ]
    assert first["id"] == second["id"] != fox["id"]
    assert (first["retryOf"], first["seed"], first["status"]) == ({"id": fox["id"]}, 7, "QUEUED")


async def test_a_deleted_generation_is_gone(alice: Client) -> None:
    fox = await alice.create_generation()
    payload = await alice.mutate("deleteGeneration", "deletedId", id=fox["id"])
    assert payload == {"deletedId": fox["id"], "errors": []}
    assert await alice.get_generation(fox["id"]) is None


@pytest.mark.parametrize("name", ["cancelGeneration", "retryGeneration", "deleteGeneration"])
async def test_what_is_not_the_callers_is_not_there(alice: Client, bob: Client, name: str) -> None:
    fox = await alice.create_generation()
    model = (await bob.query('{ model(slug: "flux-schnell") { id } }'))["model"]["id"]
    for id in (fox["id"], model, "no id at all", ""):
        errors = (await bob.query(MISSING % name, id=id))[name]["errors"]
        assert errors == [{"code": "NOT_FOUND", "path": ["id"], "missingId": id}]
    assert (await alice.require_generation(fox["id"]))["status"] == "QUEUED"


async def test_a_limit_says_when_to_try_again(empty_house: House) -> None:
    await empty_house.start_api(generations_per_hour=1)
    alice = empty_house.person("alice")
    await alice.create_generation()
    (error,) = (await alice.create())["errors"]
    assert (error["__typename"], error["code"]) == ("RateLimitError", "RATE_LIMITED")
    assert (error["limit"], error["windowSeconds"]) == (1, 3600)
    assert 0 < error["retryAfterSeconds"] <= 3601


async def test_a_full_storage_says_how_full(empty_house: House) -> None:
    await empty_house.start_api(storage_bytes=0)
    document = """mutation { createGeneration(input: {model: "flux-schnell", prompt: "a"}) { generation { id } errors {
      __typename code ... on QuotaExceededError { limit used } } } }"""
    payload = (await empty_house.person("alice").query(document))["createGeneration"]
    quota = {"__typename": "QuotaExceededError", "code": "QUOTA_EXCEEDED", "limit": 0, "used": 0}
    assert payload == {"generation": None, "errors": [quota]}
