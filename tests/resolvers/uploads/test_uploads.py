"""Uploads, the whole way."""

from contextlib import aclosing
from io import BytesIO
from uuid import uuid4

import pytest
from PIL import Image

from schema.node import global_id
from tests.client import RefusedError
from tests.conftest import House
from tests.storage import hostile
from tests.uploading import PNG, Uploader, select, start, stored_keys, until_empty, used


async def test_an_upload_becomes_an_image_of_its_owner_s(hall: House) -> None:
    alice = Uploader(hall.person("alice"))
    done = await alice.upload(hostile.with_gps(), "image/jpeg")
    image = done["image"]
    assert done["status"] == "READY"
    assert [done[name] for name in ("url", "method", "headers", "error")] == [None, None, [], None]
    assert (image["width"], image["height"], image["format"], image["isPublic"]) == (48, 64, "WEBP", False)
    assert [image[name] for name in ("prompt", "model", "generation")] == [None] * 3
    assert image["blurhash"]
    mine = await alice.client.query("{ images(scope: MINE) { edges { node { id } } } }")
    assert [edge["node"]["id"] for edge in mine["images"]["edges"]] == [image["id"]]
    async with hall.http.get(image["url"]) as answer:
        shown = await answer.read()
    assert answer.headers["Content-Type"] == "image/webp"
    with Image.open(BytesIO(shown)) as picture:
        assert (picture.size, len(shown), dict(picture.getexif())) == ((48, 64), image["fileSize"], {})
    assert await used(hall) == (image["fileSize"], 0, 1)
    # What was sent is removed, and what was made of it is all there is.
    await until_empty(hall, "select key from objects where kind = 'upload' and removed_at is null")
    ((id,),) = await select(hall, "select id from uploads")
    ours = [key for key in await stored_keys(hall) if str(id) in key]
    assert [key.rpartition("/")[2] for key in ours] == ["full.webp", "medium.webp", "small.webp"]


async def test_completing_again_is_the_upload_as_it_is_now_and_who_watches_sees_each_status_once(hut: House) -> None:
    alice = Uploader(hut.person("alice"))
    upload = await alice.promised(PNG)
    async with aclosing(alice.watch(upload["id"])) as changes:
        seen = [(await anext(changes))["status"]]
        await alice.put(upload, PNG)
        statuses = [(await alice.complete(upload["id"]))["upload"]["status"] for _ in range(2)]
        assert statuses == ["PROCESSING", "PROCESSING"]
        assert await alice.put(upload, PNG) == 409
        seen.append((await anext(changes))["status"])
        await hut.start_scheduler()
        seen += [change["status"] async for change in changes]
    assert seen == ["PENDING", "PROCESSING", "READY"]
    payload = await alice.complete(upload["id"])
    assert (payload["upload"]["status"], payload["errors"]) == ("READY", [])


async def test_another_person_s_upload_is_not_there(hut: House) -> None:
    alice, bob = Uploader(hut.person("alice")), Uploader(hut.person("bob"))
    upload = await alice.sent(PNG)
    assert await bob.read(upload["id"]) is None
    assert (await bob.client.query("query($id: ID!) { node(id: $id) { id } }", id=upload["id"]))["node"] is None
    theirs, nobody_s = await bob.complete(upload["id"]), await bob.complete(global_id("Upload", uuid4()))
    for payload in (theirs, nobody_s):
        assert [error.pop("missingId") is not None for error in payload["errors"]] == [True]
    assert theirs == nobody_s
    assert theirs["errors"] == [
        {"__typename": "NotFoundError", "message": "There is no such upload.", "code": "NOT_FOUND", "path": ["id"]}
    ]
    with pytest.raises(RefusedError) as refused:
        await bob.outcome(upload["id"])
    assert refused.value.code == "BAD_USER_INPUT"
    assert (await alice.client.query("query($id: ID!) { node(id: $id) { id } }", id=upload["id"]))["node"]


async def test_what_is_no_picture_is_rejected_and_removed(hut: House) -> None:
    hall = hut
    await hall.start_scheduler()
    alice = Uploader(hall.person("alice"))
    done = await alice.upload(hostile.HTML)
    assert (done["status"], done["image"]) == ("REJECTED", None)
    assert done["error"] == {
        "__typename": "InvalidInputError",
        "message": "The file is no PNG, JPEG or WebP picture, whatever it is called.",
        "code": "INVALID",
        "path": None,
    }
    await until_empty(hall, "select key from objects where removed_at is null")
    id = (await select(hall, "select id from uploads"))[0][0]
    assert not [key for key in await stored_keys(hall) if str(id) in key]
    assert await used(hall) == (0, 0, 1)


async def test_what_is_never_completed_is_gone_in_the_end(empty_house: House) -> None:
    hall = await start(empty_house, upload_hours=1.5 / 3600)
    alice = Uploader(hall.person("alice"))
    upload = await alice.sent(PNG)
    done = await alice.outcome(upload["id"])
    assert (done["status"], done["url"], done["image"], done["error"]) == ("EXPIRED", None, None, None)
    assert (await alice.complete(upload["id"]))["upload"]["status"] == "EXPIRED"
    await until_empty(hall, "select key from objects where removed_at is null")
    assert await stored_keys(hall) == []
    assert await used(hall) == (0, 0, 1)


async def test_an_upload_is_a_source_and_an_image_like_any(house: House) -> None:
    alice = Uploader(house.person("alice"))
    upload = await alice.upload(hostile.saved(Image.new("RGB", (256, 256), "red")))
    image = upload["image"]
    made = await alice.client.create_generation(model="stable-diffusion-1.5", sourceImageId=image["id"])
    done = await alice.client.until(made["id"], "COMPLETED")
    assert done["sourceImage"]["id"] == image["id"]
    asked = {"id": image["id"], "isPublic": True, "isFavorite": True, "rating": 4}
    published = await alice.client.mutate("updateImage", "image { ...I }", input=asked)
    async with house.http.get(published["image"]["url"]) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/webp")
    gone = await alice.client.mutate("deleteImage", "deletedId", id=image["id"])
    assert gone["errors"] == []
    await until_empty(house, "select key from objects where kind = 'image' and upload_id is not null")
    kept = await alice.read(upload["id"])
    assert kept
    assert (kept["status"], kept["image"]) == ("READY", None)
