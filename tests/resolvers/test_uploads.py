"""Uploads, the whole way: over a folder behind our own address, and over a bucket that checks signatures."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from PIL import Image

from picture.stores import storage_config
from schema.node import global_id
from storage.config import FolderConfig, S3Config
from storage.keys import upload_key
from storage.objects import open_storage
from storage.puts import Put, Puts
from tests.client import RefusedError
from tests.conftest import SECRET, House
from tests.s3 import open_rclone
from tests.storage import hostile
from tests.uploading import Uploader

PNG = hostile.saved(hostile.small())


@pytest.fixture(scope="session")
async def bucket_config(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[S3Config]:
    async with open_rclone(tmp_path_factory.mktemp("uploads")) as config:
        yield config


@pytest.fixture
def in_bucket(bucket_config: S3Config) -> dict[str, Any]:
    """The settings of a bucket."""
    names = ("endpoint", "bucket", "region", "access_key_id", "secret_access_key")
    return {f"s3_{name}": getattr(bucket_config, name) for name in names}


@pytest.fixture(params=["folder", "bucket"])
def storing(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The settings of the one storage, then of the other."""
    found: dict[str, Any] = request.getfixturevalue("in_bucket") if request.param == "bucket" else {}
    return found


async def start(house: House, **settings: Any) -> House:
    """An API and a scheduler with these settings."""
    house.settings = house.settings.model_copy(update=settings)
    await house.start_api()
    await house.start_scheduler()
    return house


@pytest.fixture
async def hall(empty_house: House, storing: dict[str, Any]) -> House:
    return await start(empty_house, **storing)


@pytest.fixture
async def hut(empty_house: House) -> House:
    """Over a folder, with nobody who checks what comes."""
    await empty_house.start_api()
    return empty_house


async def select(house: House, statement: str) -> list[tuple[Any, ...]]:
    """What Postgres says, behind everybody's back."""
    connection = await asyncpg.connect(house.addresses.database_worker_url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def until_empty(house: House, statement: str, seconds: float = 20) -> None:
    """Return when the statement finds nothing any more."""
    deadline = time.monotonic() + seconds
    while found := await select(house, statement):
        assert time.monotonic() < deadline, f"still there: {found}"
        await asyncio.sleep(0.1)


async def stored_keys(house: House) -> list[str]:
    """All that lies in the storage."""
    async with open_storage(storage_config(house.settings)) as storage:
        return sorted([key async for key in storage.list()])


async def used(house: House) -> tuple[Any, ...]:
    """What alice has used: bytes stored, bytes promised, uploads today."""
    rows = await select(house, "select storage_bytes_used, upload_bytes, uploads_today from user_rate_limits")
    return rows[0]


async def test_an_upload_becomes_an_image_of_its_owner_s(hall: House) -> None:
    alice = Uploader(hall.person("alice"))
    await select(hall, "delete from objects")
    done = await alice.upload(hostile.with_gps(), "image/jpeg")
    image = done["image"]
    assert (done["status"], done["url"], done["method"], done["headers"], done["error"]) == (
        "READY",
        None,
        None,
        [],
        None,
    )
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


async def test_what_was_sent_is_removed_once_it_has_been_made_anew(hall: House) -> None:
    alice = Uploader(hall.person("alice"))
    done = await alice.upload(PNG)
    await until_empty(hall, "select key from objects where kind = 'upload' and removed_at is null")
    id = await select(hall, "select id from uploads")
    ours = [key for key in await stored_keys(hall) if str(id[0][0]) in key]
    assert [key.rpartition("/")[2] for key in ours] == ["full.webp", "medium.webp", "small.webp"]
    assert done["status"] == "READY"


async def test_the_address_takes_what_was_promised_and_nothing_else(hall: House) -> None:
    alice = Uploader(hall.person("alice"))
    upload, other = await alice.promised(PNG), await alice.promised(PNG)
    url = upload["url"]
    key = url.partition("?")[0].rpartition("/")[2] if "/uploads/" in url and "original" not in url else None
    own, its = (one.partition("?")[0] for one in (url, other["url"]))
    assert own != its
    assert key is None or len(key) == 36
    refused = {
        "more bytes": await alice.put(upload, PNG + b"!"),
        "fewer bytes": await alice.put(upload, PNG[:-1]),
        "another type": await alice.put(upload, PNG, **{"Content-Type": "text/html"}),
        "another key": await alice.put(upload, PNG, url=url.replace(own, its)),
        "another method": await alice.put(upload, PNG, method="POST"),
        "a changed signature": await alice.put(upload, PNG, url=url[:-1] + ("0" if url[-1] != "0" else "1")),
        "no signature": await alice.put(upload, PNG, url=own),
    }
    assert {name: status for name, status in refused.items() if not 400 <= status < 500} == {}
    payload = await alice.complete(upload["id"])
    assert [error["__typename"] for error in payload["errors"]] == ["ConflictError"]
    assert (await alice.read(upload["id"]) or {})["status"] == "PENDING"
    assert await alice.put(upload, PNG) == 200


async def test_an_address_that_has_expired_takes_nothing(empty_house: House, storing: dict[str, Any]) -> None:
    hall = await start(empty_house, **storing, upload_url_seconds=1)
    alice = Uploader(hall.person("alice"))
    upload = await alice.promised(PNG)
    await asyncio.sleep(2.1)  # by the clock of the storage, which is no event of ours
    assert await alice.put(upload, PNG) in (400, 403)
    again = await alice.read(upload["id"])
    assert again
    assert await alice.put(again, PNG) == 200


async def test_completing_again_is_the_upload_as_it_is_now(hut: House) -> None:
    alice = Uploader(hut.person("alice"))
    upload = await alice.sent(PNG)
    statuses = [(await alice.complete(upload["id"]))["upload"]["status"] for _ in range(2)]
    assert statuses == ["PROCESSING", "PROCESSING"]
    assert await alice.put(upload, PNG) == 409
    await hut.start_scheduler()
    assert (await alice.outcome(upload["id"]))["status"] == "READY"
    payload = await alice.complete(upload["id"])
    assert (payload["upload"]["status"], payload["errors"]) == ("READY", [])


async def test_who_watches_sees_each_status_once(hut: House) -> None:
    alice = Uploader(hut.person("alice"))
    upload = await alice.promised(PNG)
    async with aclosing(alice.watch(upload["id"])) as changes:
        seen = [(await anext(changes))["status"]]
        await alice.put(upload, PNG)
        await alice.complete(upload["id"])
        seen.append((await anext(changes))["status"])
        await hut.start_scheduler()
        seen += [change["status"] async for change in changes]
    assert seen == ["PENDING", "PROCESSING", "READY"]


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


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no name": ({"filename": "  "}, "filename", "INVALID"),
    "a long name": ({"filename": "a" * 256}, "filename", "INVALID"),
    "a line break": ({"filename": "a\nb.png"}, "filename", "INVALID"),
    "a null": ({"filename": "a\0.png"}, "filename", "INVALID"),
    "SVG": ({"contentType": "image/svg+xml"}, "contentType", "INVALID"),
    "GIF": ({"contentType": "image/gif"}, "contentType", "INVALID"),
    "HTML": ({"contentType": "text/html"}, "contentType", "INVALID"),
    "two headers": ({"contentType": "image/png\r\nX-Evil: 1"}, "contentType", "INVALID"),
    "nothing": ({"size": 0}, "size", "INVALID"),
    "less than nothing": ({"size": -1}, "size", "INVALID"),
    "too much": ({"size": 50_000_001}, "size", "TOO_LARGE"),
}


async def test_what_is_wrong_with_the_promise_is_said(hut: House) -> None:
    alice = hut.person("alice")
    for name, (change, field, code) in WRONG.items():
        asked = {"filename": "a.png", "contentType": "image/png", "size": 100, **change}
        payload = await alice.mutate("createUpload", "upload { id }", input=asked)
        assert payload["upload"] is None, name
        assert [(e["__typename"], e["code"], e["path"]) for e in payload["errors"]] == [
            ("InvalidInputError", code, ["input", field])
        ], name


async def test_the_day_s_limit_holds_however_many_ask_at_once(empty_house: House) -> None:
    await empty_house.start_api(uploads_per_day=20)
    alice = Uploader(empty_house.person("alice"))
    answers = await asyncio.gather(*(alice.create(10) for _ in range(60)))
    refused = [answer["errors"][0] for answer in answers if answer["errors"]]
    assert len(answers) - len(refused) == 20
    assert {(error["__typename"], error["limit"], error["windowSeconds"]) for error in refused} == {
        ("RateLimitError", 20, 86_400)
    }
    assert all(0 < error["retryAfterSeconds"] <= 86_401 for error in refused)
    assert await used(empty_house) == (0, 200, 20)


async def test_what_is_promised_counts_like_what_is_stored(empty_house: House) -> None:
    await empty_house.start_api(storage_bytes=1000)
    alice = Uploader(empty_house.person("alice"))
    answers = await asyncio.gather(*(alice.create(300) for _ in range(12)))
    refused = [answer["errors"][0] for answer in answers if answer["errors"]]
    assert len(refused) == 9
    assert {(error["__typename"], error["most"], error["used"]) for error in refused} == {
        ("QuotaExceededError", 1000, 900)
    }


async def test_what_has_no_room_at_the_end_is_rejected(empty_house: House) -> None:
    hall = await start(empty_house, storage_bytes=len(PNG) + 1)
    alice = Uploader(hall.person("alice"))
    upload = await alice.sent(PNG)
    await select(hall, f"update user_rate_limits set storage_bytes_used = {len(PNG)}")  # made meanwhile
    await alice.complete(upload["id"])
    done = await alice.outcome(upload["id"])
    assert (done["status"], done["error"]["code"], done["image"]) == ("REJECTED", "TOO_LARGE", None)
    assert await used(hall) == (len(PNG), 0, 1)


async def test_what_is_no_picture_is_rejected_and_removed(hall: House) -> None:
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


async def test_what_is_written_behind_our_back_is_removed_once_the_address_is_over(
    empty_house: House, in_bucket: dict[str, Any]
) -> None:
    hall = await start(empty_house, **in_bucket)
    alice = Uploader(hall.person("alice"))
    upload = await alice.sent(PNG)
    await alice.complete(upload["id"])
    await alice.outcome(upload["id"])
    await until_empty(hall, "select key from objects where kind = 'upload' and removed_at is null")
    assert await alice.put(upload, PNG) == 200  # the bucket knows nothing of uploads
    key = (await select(hall, "select object_key from uploads"))[0][0]
    assert key in await stored_keys(hall)
    await select(hall, "update objects set writable_until = now() where kind = 'upload'")  # as when its hour is over
    await until_empty(hall, "select key from objects where kind = 'upload'")
    assert key not in await stored_keys(hall)


async def test_an_upload_is_a_source_and_an_image_like_any(house: House) -> None:
    alice = Uploader(house.person("alice"))
    image = (await alice.upload(hostile.saved(Image.new("RGB", (256, 256), "red"))))["image"]
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
    kept = await select(house, "select status, image_id from uploads")
    assert kept == [("ready", None)]


async def test_a_browser_may_send_from_an_allowed_origin(empty_house: House) -> None:
    await empty_house.start_api(allowed_origins=("https://app.example",))
    alice = Uploader(empty_house.person("alice"))
    upload = await alice.promised(PNG)
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    for origin, status in (("https://app.example", 200), ("https://evil.example", 400)):
        async with empty_house.http.options(upload["url"], headers={**asked, "Origin": origin}) as answer:
            assert (answer.status, answer.headers.get("Access-Control-Allow-Origin") == origin) == (
                status,
                status == 200,
            )
    assert await alice.put(upload, PNG, Origin="https://app.example") == 200


async def test_bytes_that_stop_coming_leave_nothing(hut: House) -> None:
    alice = Uploader(hut.person("alice"))
    upload = await alice.promised(PNG)
    address = upload["url"].partition("//")[2]
    host, _, path = address.partition("/")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    head = f"PUT /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: image/png\r\nContent-Length: {len(PNG)}\r\n\r\n"
    writer.write(head.encode() + PNG[:100])
    await writer.drain()
    writer.close()
    chunked = f"PUT /{path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(chunked.encode())
    assert b" 411 " in await reader.readline()
    writer.close()
    assert [error["code"] for error in (await alice.complete(upload["id"]))["errors"]] == ["CONFLICT"]
    assert await stored_keys(hut) == []
    assert await alice.put(upload, PNG) == 200


async def test_our_own_address_cannot_be_made_up(hut: House) -> None:
    alice = Uploader(hut.person("alice"))
    upload = await alice.promised(PNG)
    for change in ("?until=x&signature=y", "?until=99999999999999999999&signature=", "", "?until=%00&signature=%ff"):
        assert await alice.put(upload, PNG, url=upload["url"].partition("?")[0] + change) == 403
    async with open_storage(FolderConfig(hut.settings.home / "storage")) as storage:
        stranger = Puts(storage, hut.apis[0], SECRET + "?")
        own = Puts(storage, hut.apis[0], SECRET)
        id = uuid4()
        put = Put(id, upload_key("", id), len(PNG), "image/png", datetime.now(UTC) + timedelta(hours=1))
        assert await alice.put(upload, PNG, url=await stranger.url(put)) == 403
        assert await alice.put(upload, PNG, url=await own.url(put)) == 404  # signed, but nobody awaits it
