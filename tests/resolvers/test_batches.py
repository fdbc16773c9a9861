"""Several generations asked for together."""

import asyncio
from typing import Any

import pytest

from tests.client import Client, RefusedError
from tests.conftest import House

BATCH = """id name status totalCount completedCount failedCount canceledCount progress createdAt completedAt
  generations { id prompt seed status retryOf { id } }"""
READ = "query($id: ID!) { batch(id: $id) { " + BATCH + " } }"
WATCH = "subscription($id: ID!) { batchUpdated(id: $id) { " + BATCH + " } }"
LIST = """query($first: Int, $after: String) { batches(first: $first, after: $after) {
  edges { cursor node { name } } pageInfo { hasNextPage endCursor } totalCount } }"""
FILTERED = (
    """query($id: ID!) { generations(filter: {batchId: $id}) { totalCount edges { node { id batch { id } } } } }"""
)
PROMPTS: list[dict[str, Any]] = [
    {"prompt": "a red fox", "seed": 1},
    {"prompt": "a grey fox", "seed": 2},
    {"prompt": "a fox at night"},
]
WRONG: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"prompts": PROMPTS[:1]}, "INVALID", ["input", "prompts"]),
    ({"prompts": PROMPTS[:1] * 11}, "INVALID", ["input", "prompts"]),
    ({"prompts": [*PROMPTS[:2], {"prompt": " "}]}, "INVALID", ["input", "prompts", "2", "prompt"]),
    ({"prompts": [*PROMPTS[:2], {"prompt": "a" * 4001}]}, "TOO_LARGE", ["input", "prompts", "2", "prompt"]),
    (
        {"prompts": [PROMPTS[0], {"prompt": "a", "negativePrompt": "b"}]},
        "UNSUPPORTED_BY_MODEL",
        ["input", "prompts", "1", "negativePrompt"],
    ),
    ({"steps": 99}, "INVALID", ["input", "steps"]),
    ({"name": "a" * 201}, "TOO_LARGE", ["input", "name"]),
    ({"name": "two\nlines"}, "INVALID", ["input", "name"]),
    ({"model": "no-such-model"}, "NOT_FOUND", ["input", "model"]),
    ({"idempotencyKey": ""}, "INVALID", ["input", "idempotencyKey"]),
]


async def create(client: Client, **input: Any) -> dict[str, Any]:
    """The payload of createBatch; three small ones unless said otherwise."""
    asked = {"name": "foxes", "model": "flux-schnell", "prompts": PROMPTS, "width": 256, "height": 256, **input}
    return await client.mutate("createBatch", f"batch {{ {BATCH} }}", input=asked)


async def created(client: Client, **input: Any) -> dict[str, Any]:
    payload = await create(client, **input)
    assert payload["errors"] == []
    return dict(payload["batch"])


async def change(client: Client, name: str, id: str) -> dict[str, Any]:
    return await client.mutate(name, f"batch {{ {BATCH} }}", id=id)


async def read(client: Client, id: str) -> Any:
    return (await client.query(READ, id=id))["batch"]


async def used(client: Client) -> int:
    return int((await client.query("{ viewer { limits { generationsUsedToday } } }"))["viewer"]["limits"].popitem()[1])


def statuses(batch: dict[str, Any]) -> list[str]:
    return [generation["status"] for generation in batch["generations"]]


async def test_a_batch_is_as_it_was_asked_for(alice: Client) -> None:
    batch = await created(alice)
    assert batch == await read(alice, batch["id"])
    assert (await alice.query("query($id: ID!) { node(id: $id) { id __typename } }", id=batch["id"]))["node"] == {
        "id": batch["id"],
        "__typename": "Batch",
    }
    expected: dict[str, Any] = {
        "name": "foxes",
        "status": "PENDING",
        "totalCount": 3,
        "progress": 0,
        "completedAt": None,
    }
    assert {name: batch[name] for name in expected} == expected
    assert [generation["prompt"] for generation in batch["generations"]] == [prompt["prompt"] for prompt in PROMPTS]
    assert [generation["seed"] for generation in batch["generations"]][:2] == [1, 2]
    found = (await alice.query(FILTERED, id=batch["id"]))["generations"]
    assert found["totalCount"] == 3
    assert {edge["node"]["batch"]["id"] for edge in found["edges"]} == {batch["id"]}


async def test_what_is_wrong_with_one_names_it_and_nothing_is_written(alice: Client) -> None:
    for input, code, path in WRONG:
        payload = await create(alice, **input)
        assert payload["batch"] is None
        assert [(error["code"], error["path"]) for error in payload["errors"]] == [(code, path)], input
        assert payload["errors"][0]["message"].endswith(".")
    assert (await alice.query(LIST))["batches"]["totalCount"] == await used(alice) == 0


async def test_a_batch_counts_as_many_and_comes_whole_or_not_at_all(empty_house: House) -> None:
    await empty_house.start_api(generations_per_hour=20)
    alice = empty_house.person("alice")
    payloads = await asyncio.gather(*(create(alice) for _ in range(10)))
    assert sum(payload["batch"] is not None for payload in payloads) == 6
    refused = [error for payload in payloads for error in payload["errors"]]
    assert {error["__typename"] for error in refused} == {"RateLimitError"}
    assert await used(alice) == 18
    assert (await alice.query("{ generations { totalCount } }"))["generations"]["totalCount"] == 18


async def test_the_same_key_makes_one_batch(alice: Client, bob: Client) -> None:
    payloads = await asyncio.gather(*(create(alice, idempotencyKey="foxes") for _ in range(5)))
    assert len({payload["batch"]["id"] for payload in payloads}) == 1
    assert await used(alice) == 3
    (error,) = (await create(alice, idempotencyKey="foxes", name="hares"))["errors"]
    assert (error["code"], error["path"]) == ("CONFLICT", ["input", "idempotencyKey"])
    # A space of its own for each mutation, and for each caller.
    await alice.create_generation(idempotencyKey="foxes")
    assert (await created(bob, idempotencyKey="foxes"))["id"] != payloads[0]["batch"]["id"]


async def test_batches_come_in_pages_newest_first(alice: Client, bob: Client, nobody: Client) -> None:
    for name in "abc":
        await created(alice, name=name)
    page = (await alice.query(LIST, first=2))["batches"]
    assert ([edge["node"]["name"] for edge in page["edges"]], page["totalCount"]) == (["c", "b"], 3)
    rest = (await alice.query(LIST, first=2, after=page["pageInfo"]["endCursor"]))["batches"]
    assert ([edge["node"]["name"] for edge in rest["edges"]], rest["pageInfo"]["hasNextPage"]) == (["a"], False)
    for other in (bob, nobody):
        assert (await other.query(LIST))["batches"]["totalCount"] == 0


async def test_a_canceled_batch_gives_its_limits_back(alice: Client) -> None:
    batch = await created(alice)
    await alice.cancel(batch["generations"][0]["id"])
    for _ in range(2):
        payload = await change(alice, "cancelBatch", batch["id"])
        assert (payload["batch"]["status"], payload["batch"]["canceledCount"]) == ("CANCELED", 3)
        assert payload["batch"]["completedAt"]
    assert await used(alice) == 0


async def test_a_retry_takes_the_places_of_what_failed_once(alice: Client) -> None:
    batch = await created(alice)
    assert (await change(alice, "retryBatch", batch["id"]))["batch"] == batch, "nothing has failed yet"
    first, second, third = (generation["id"] for generation in batch["generations"])
    await alice.cancel(first)
    await alice.cancel(third)
    again = await asyncio.gather(*(change(alice, "retryBatch", batch["id"]) for _ in range(3)))
    assert len({payload["batch"]["generations"][0]["id"] for payload in again}) == 1
    places = again[0]["batch"]["generations"]
    assert [place["retryOf"] for place in places] == [{"id": first}, None, {"id": third}]
    assert (places[1]["id"], places[0]["seed"]) == (second, 1)
    assert statuses(again[0]["batch"]) == ["QUEUED"] * 3
    assert again[0]["batch"]["totalCount"] == await used(alice) == 3
    assert (await alice.query(FILTERED, id=batch["id"]))["generations"]["totalCount"] == 5


async def test_a_retry_of_one_takes_its_place_too(alice: Client) -> None:
    batch = await created(alice)
    gone: str = batch["generations"][1]["id"]
    await alice.cancel(gone)
    alone = (await alice.mutate("retryGeneration", "generation { id }", id=gone))["generation"]["id"]
    await change(alice, "retryBatch", batch["id"])
    assert [generation["id"] for generation in (await read(alice, batch["id"]))["generations"]][1] == alone


async def test_a_batch_goes_with_its_last_generation(alice: Client) -> None:
    batch = await created(alice)
    await asyncio.gather(*(alice.mutate("deleteGeneration", "deletedId", id=row["id"]) for row in batch["generations"]))
    assert await read(alice, batch["id"]) is None
    assert (await alice.query(LIST))["batches"]["totalCount"] == 0


@pytest.mark.parametrize("name", ["cancelBatch", "retryBatch"])
async def test_what_is_not_the_callers_is_not_there(alice: Client, bob: Client, nobody: Client, name: str) -> None:
    batch = await created(alice)
    for id in (batch["id"], batch["generations"][0]["id"], "no id at all"):
        payload = await change(bob, name, id)
        assert [(error["code"], error["path"]) for error in payload["errors"]] == [("NOT_FOUND", ["id"])]
        assert await read(bob, id) is None
        with pytest.raises(RefusedError, match="no such batch"):
            await anext(watch(bob, id))
    with pytest.raises(RefusedError) as refused:
        await change(nobody, name, batch["id"])
    assert refused.value.code == "UNAUTHENTICATED"


async def watch(client: Client, id: str) -> Any:
    async with client.socket() as socket:
        async for batch in socket.subscribe(WATCH, "batchUpdated", {"id": id}):
            yield batch


async def test_a_batch_is_followed_to_its_end(house: House, alice: Client) -> None:
    batch = await created(alice, tags=["fox"])
    async with asyncio.timeout(30):
        seen = [update async for update in watch(alice, batch["id"])]
    last = seen[-1]
    assert (last["status"], last["completedCount"], last["progress"]) == ("COMPLETED", 3, 1)
    assert [update["completedCount"] for update in seen] == sorted(update["completedCount"] for update in seen)
    assert len(seen) >= 4
    assert [update async for update in watch(alice, batch["id"])] == [last], "it has ended: once, as it is"
    (nothing,) = (await change(alice, "retryBatch", batch["id"]))["errors"]
    assert nothing["code"] == "CONFLICT"


async def test_a_followed_batch_that_is_deleted_ends(alice: Client) -> None:
    batch = await created(alice)
    updates = watch(alice, batch["id"])
    assert (await anext(updates))["status"] == "PENDING"
    for row in batch["generations"]:
        await alice.mutate("deleteGeneration", "deletedId", id=row["id"])
    async with asyncio.timeout(10):
        rest = [update async for update in updates]
    assert all(update["canceledCount"] <= 2 for update in rest)


async def test_an_ended_batch_of_which_some_completed_is_partial(house: House, alice: Client) -> None:
    prompts = [{"prompt": "a red fox"}, {"prompt": "a fox that fails"}]
    batch = await created(alice, prompts=prompts)
    await alice.cancel(batch["generations"][1]["id"])
    async with asyncio.timeout(30):
        *_, last = [update async for update in watch(alice, batch["id"])]
    assert last["status"] in {"PARTIAL", "COMPLETED"}  # the second may have been too quick for us
    assert (last["status"] == "PARTIAL") == (last["canceledCount"] == 1)
