"""The address that takes the bytes: those that were promised, for as long as it is good, and no others."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from storage.config import FolderConfig
from storage.keys import upload_key
from storage.objects import open_storage
from storage.puts import Put, Puts
from tests.conftest import SECRET, House
from tests.uploading import PNG, Uploader, select, start, stored_keys, until_empty


async def test_the_address_takes_what_was_promised_while_it_is_good_and_nothing_else(gate: House) -> None:
    alice = Uploader(gate.person("alice"))
    upload, other = await alice.promised(PNG), await alice.promised(PNG)
    url = upload["url"]
    own, its = (one.partition("?")[0] for one in (url, other["url"]))
    refused = {
        "more bytes": await alice.put(upload, PNG + b"!"),
        "fewer bytes": await alice.put(upload, PNG[:-1]),
        "another type": await alice.put(upload, PNG, **{"Content-Type": "text/html"}),
        "another key": await alice.put(upload, PNG, url=url.replace(own, its)),
        "another method": await alice.put(upload, PNG, method="POST"),
        "a changed signature": await alice.put(upload, PNG, url=url[:-1] + ("0" if url[-1] != "0" else "1")),
        "no signature": await alice.put(upload, PNG, url=own),
    }
    await asyncio.sleep(3.1)  # by the clock of the storage, which is no event of ours
    refused["too late"] = await alice.put(upload, PNG)
    assert {name: status for name, status in refused.items() if not 400 <= status < 500} == {}
    payload = await alice.complete(upload["id"])
    assert [error["__typename"] for error in payload["errors"]] == ["ConflictError"]
    again = await alice.read(upload["id"])
    assert again
    assert again["status"] == "PENDING"
    assert await alice.put(again, PNG) == 200


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
