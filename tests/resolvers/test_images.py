"""Images in galleries, and what their owner may do with them."""

from typing import Any

import pytest

from tests.client import Client, RefusedError

LIST = """query($scope: ImageScope!, $order: ImageOrder! = NEWEST, $filter: ImageFilter, $first: Int, $after: String) {
  images(scope: $scope, order: $order, filter: $filter, first: $first, after: $after) { totalCount
    pageInfo { endCursor hasNextPage } edges { node { id prompt isFavorite rating isPublic archivedAt
    generation { id } owner { id username } model { slug } url urlExpiresAt } } } }"""

PROFILE = """query($id: ID!) { node(id: $id) {
  ... on Profile { images(first: 1) { totalCount edges { node { prompt } } } } } }"""


async def images(client: Client, scope: str, **variables: Any) -> list[dict[str, Any]]:
    found = (await client.query(LIST, scope=scope, **variables))["images"]
    nodes = [edge["node"] for edge in found["edges"]]
    assert found["totalCount"] >= len(nodes)
    return nodes


async def prompts(client: Client, scope: str, **variables: Any) -> str:
    return "".join(image["prompt"] for image in await images(client, scope, **variables))


async def make(client: Client, prompt: str, **input: Any) -> dict[str, Any]:
    made = await client.create_generation(prompt=prompt, **input)
    return dict((await client.until(made["id"], "COMPLETED"))["images"][0])


async def update(client: Client, id: str, **changes: Any) -> dict[str, Any]:
    document = """mutation($input: UpdateImageInput!) { updateImage(input: $input) {
      image { id isPublic isFavorite rating archivedAt url urlExpiresAt } errors { code path } } }"""
    return dict((await client.query(document, input={"id": id, **changes}))["updateImage"])


@pytest.mark.usefixtures("house")
async def test_galleries_show_what_each_person_may_see(alice: Client, bob: Client, nobody: Client) -> None:
    await make(alice, "a")
    await make(alice, "b", isPublic=True)
    await make(bob, "c", isPublic=True)
    assert [await prompts(client, "MINE") for client in (alice, bob, nobody)] == ["ba", "c", ""]
    assert [await prompts(client, "PUBLIC") for client in (alice, bob, nobody)] == ["cb", "cb", "cb"]
    assert await prompts(nobody, "PUBLIC", order="OLDEST") == "bc"
    owner = (await images(nobody, "PUBLIC"))[1]["owner"]["id"]
    assert await prompts(nobody, "PUBLIC", filter={"ownerId": owner}) == "b"
    assert await prompts(nobody, "PUBLIC", filter={"ownerId": "nope"}) == ""
    assert [bool(image["generation"]) for image in await images(alice, "PUBLIC")] == [False, True]
    assert (await nobody.query(PROFILE, id=owner))["node"]["images"] == {
        "totalCount": 1,
        "edges": [{"node": {"prompt": "b"}}],
    }


@pytest.mark.usefixtures("house")
async def test_a_private_image_is_not_there_for_others(alice: Client, bob: Client, nobody: Client) -> None:
    fox = await make(alice, "a red fox")
    document = "query($id: ID!) { image(id: $id) { id } node(id: $id) { id } }"
    assert (await alice.query(document, id=fox["id"]))["image"] == {"id": fox["id"]}
    for other in (bob, nobody):
        assert await other.query(document, id=fox["id"]) == {"image": None, "node": None}
    assert (await update(bob, fox["id"], isPublic=True))["errors"] == [{"code": "NOT_FOUND", "path": ["input", "id"]}]
    assert (await bob.mutate("deleteImage", "deletedId", id=fox["id"]))["errors"][0]["code"] == "NOT_FOUND"


@pytest.mark.usefixtures("house")
async def test_an_update_changes_what_it_names_and_no_more(alice: Client, bob: Client) -> None:
    fox = await make(alice, "a red fox")
    image = (await update(alice, fox["id"], isPublic=True, isFavorite=True, rating=4))["image"]
    assert (image["isPublic"], image["isFavorite"], image["rating"], image["urlExpiresAt"]) == (True, True, 4, None)
    (seen,) = await images(bob, "PUBLIC")
    assert (seen["isFavorite"], seen["rating"], seen["url"]) == (False, None, image["url"])
    assert await prompts(bob, "PUBLIC", filter={"minRating": 1}) == ""
    assert await prompts(alice, "PUBLIC", filter={"minRating": 4, "isFavorite": True}) == "a red fox"
    image = (await update(alice, fox["id"], rating=None))["image"]
    assert (image["isFavorite"], image["rating"]) == (True, None)
    image = (await update(alice, fox["id"], archived=True))["image"]
    assert (image["archivedAt"] is None, image["urlExpiresAt"] is None) == (False, False)
    assert [await prompts(alice, scope) for scope in ("MINE", "PUBLIC")] == ["", ""]


async def test_what_cannot_be_set_is_invalid(alice: Client) -> None:
    for field, value in (("isPublic", None), ("isFavorite", None), ("archived", None), ("rating", 6), ("rating", -1)):
        payload = await update(alice, "SW1hZ2U6", **{field: value})
        assert payload == {"image": None, "errors": [{"code": "INVALID", "path": ["input", field]}]}


@pytest.mark.usefixtures("house")
async def test_a_deleted_image_is_gone_and_its_generation_stays(alice: Client) -> None:
    fox = await make(alice, "a red fox")
    assert (await alice.mutate("deleteImage", "deletedId", id=fox["id"]))["deletedId"] == fox["id"]
    assert await images(alice, "MINE") == []
    (edge,) = (await alice.query("{ generations { edges { node { status images { id } } } } }"))["generations"]["edges"]
    assert edge["node"] == {"status": "COMPLETED", "images": []}


@pytest.mark.usefixtures("house")
async def test_an_image_is_the_source_of_another(alice: Client, bob: Client) -> None:
    fox = await make(alice, "a red fox", width=512, height=256)
    again = {"model": "stable-diffusion-1.5", "sourceImageId": fox["id"], "width": None, "height": None}
    made = await alice.create_generation(prompt="a blue fox", idempotencyKey="blue", **again)
    assert (made["mode"], made["strength"], made["sourceImage"]) == ("IMAGE_TO_IMAGE", 0.6, {"id": fox["id"]})
    assert (made["width"], made["height"]) == (704, 384)
    (error,) = (await bob.create(prompt="a stolen fox", **again))["errors"]
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "sourceImageId"])
    await alice.mutate("deleteImage", "deletedId", id=fox["id"])
    assert (await alice.create_generation(prompt="a blue fox", idempotencyKey="blue", **again))["id"] == made["id"]
    (error,) = (await alice.create(model="stable-diffusion-1.5", mode="IMAGE_TO_IMAGE"))["errors"]
    assert (error["code"], error["path"]) == ("INVALID", ["input", "sourceImageId"])


@pytest.mark.usefixtures("house")
async def test_a_page_of_a_gallery_is_a_constant_number_of_statements(
    alice: Client, bob: Client, statements: list[str]
) -> None:
    document = """{ images(scope: PUBLIC) { edges { node { url generation { id model { slug } }
      model { name isAvailable }
      owner { username images(first: 2) { totalCount edges { node { owner { id } } } } } } } } }"""
    counts = []
    for client in (alice, bob):
        await make(client, "a", isPublic=True)
        await make(client, "b", isPublic=True)
        statements.clear()
        await alice.query(document)
        counts.append(len(statements))
    assert counts[0] == counts[1], statements


async def test_only_who_is_signed_in_changes_anything(nobody: Client) -> None:
    for document in (
        'mutation { updateImage(input: {id: "x", isPublic: true}) { errors { code } } }',
        'mutation { deleteImage(id: "x") { errors { code } } }',
        'mutation { cancelGeneration(id: "x") { errors { code } } }',
        'mutation { retryGeneration(id: "x") { errors { code } } }',
        'mutation { deleteGeneration(id: "x") { errors { code } } }',
        'mutation { createGeneration(input: {model: "x", prompt: ""}) { errors { code } } }',
    ):
        with pytest.raises(RefusedError) as refused:
            await nobody.query(document)
        assert refused.value.code == "UNAUTHENTICATED"
