"""What may be promised: names, types and sizes, and how much of it."""

import asyncio
from typing import Any

from tests.conftest import House
from tests.uploading import PNG, Uploader, select, start, used

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
    viewer = (await alice.client.query("{ viewer { limits { uploadsPerDay uploadsUsedToday } } }"))["viewer"]
    assert viewer["limits"] == {"uploadsPerDay": 20, "uploadsUsedToday": 20}


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
