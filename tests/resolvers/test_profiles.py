"""Who people are to each other: names that nobody else has, and pictures that are never fetched."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from tests.client import Client, RefusedError
from tests.conftest import House

UPDATE = """mutation($input: UpdateProfileInput!) { updateProfile(input: $input) {
  profile { id username avatarUrl } errors { __typename code path message } } }"""
FIND = "query($name: String!) { profile(username: $name) { id username avatarUrl } }"
VIEWER = """{ viewer { profile { id username } email limits { generationsPerHour generationsUsedThisHour
  generationsPerDay generationsUsedToday uploadsPerDay uploadsUsedToday storageBytes storageBytesUsed maxConcurrent
  running queued } } }"""


async def update(client: Client, **changes: Any) -> dict[str, Any]:
    return dict((await client.query(UPDATE, input=changes))["updateProfile"])


async def named(client: Client, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await client.query(FIND, name=name))["profile"]
    return found


async def test_a_name_is_found_by_anybody_however_it_is_written(alice: Client, nobody: Client) -> None:
    assert await named(nobody, "Alice") is None
    made = (await update(alice, username="Ａlice.M"))["profile"]  # the first letter is a full-width one
    assert made["username"] == "Alice.M"
    for written in ("Alice.M", "ALICE.m", " alice.m ", "ａlice.m"):
        assert await named(nobody, written) == made
    for nothing in ("alice", "", "alice.m\0", "%", "alice_m"):
        assert await named(nobody, nothing) is None


async def test_an_absent_field_stays_and_null_clears(alice: Client) -> None:
    await update(alice, username="alice", avatarUrl="https://example.com/a.png?size=2#x")
    both = {"username": "alice", "avatarUrl": "https://example.com/a.png?size=2#x"}
    assert {**(await update(alice))["profile"], "id": 0} == {**both, "id": 0}
    assert (await update(alice, avatarUrl=None))["profile"]["username"] == "alice"
    cleared = (await update(alice, username=None))["profile"]
    assert (cleared["username"], cleared["avatarUrl"]) == (None, None)
    assert await named(alice, "alice") is None


NO_NAMES = [
    "ab",
    "a" * 31,
    "",
    "   ",
    "a b",
    "-ab",
    "ab-",
    "a..b",
    "a/b",
    "a@b",
    "a\u202eb",
    "a\0b",
    "🦊🦊🦊",
    "x\u0301" * 31,
    "\u0301ab",
    "delete",
    "DELETE",
    "Ｄelete",
    "admin",
]
NO_ADDRESSES = [
    "",
    "http://example.com/a.png",
    "//example.com",
    "javascript:alert(1)",
    "data:image/png;base64,",
    "HTTPS\\\\://x",
    "https://",
    "https:///a.png",
    "https://a:b@example.com/",
    "https://a@example.com/",
    "https://exa mple.com",
    "https://example.com/\n",
    "https://example.com/\x00",
    "https://example.com/<script>",
    'https://example.com/"',
    "https://example.com:99999999/",
    "https://[::1",
    " https://example.com",
    "https://example.com/" + "a" * 2000,
    "https://exämple.com/",
]


async def test_names_of_any_script_are_taken_and_nothing_else(alice: Client) -> None:
    for name in ("abc", "a.b-c_d", "Łukasz", "张小狐", "ฟ้าใส", "a" * 30, "007"):
        assert (await update(alice, username=name))["profile"]["username"] == name
    for name in NO_NAMES:
        (error,) = (await update(alice, username=name))["errors"]
        assert (error["__typename"], error["path"]) == ("InvalidInputError", ["input", "username"]), name
        assert error["message"].endswith(".")


async def test_an_avatar_is_a_plain_https_address(alice: Client) -> None:
    for address in NO_ADDRESSES:
        (error,) = (await update(alice, avatarUrl=address))["errors"]
        assert (error["__typename"], error["path"]) == ("InvalidInputError", ["input", "avatarUrl"]), address
        assert error["code"] == ("TOO_LARGE" if len(address) > 2000 else "INVALID")


async def test_of_twenty_who_take_one_name_at_once_one_gets_it(api: House) -> None:
    people = [api.person(f"person {n}") for n in range(20)]
    names = [("fox", "Fox", "FOX")[n % 3] for n in range(20)]
    payloads = await asyncio.gather(
        *(update(person, username=name) for person, name in zip(people, names, strict=True))
    )
    assert sum(payload["profile"] is not None for payload in payloads) == 1
    refused = [payload["errors"][0] for payload in payloads if payload["errors"]]
    assert {(error["__typename"], error["code"], tuple(error["path"])) for error in refused} == {
        ("ConflictError", "CONFLICT", ("input", "username"))
    }
    (kept,) = [payload["profile"] for payload in payloads if payload["profile"]]
    assert await named(people[0], "fox") == kept
    assert (await update(people[0], username="another"))["errors"] == []


async def test_a_name_may_change_its_capitals(alice: Client) -> None:
    await update(alice, username="alice")
    assert (await update(alice, username="Alice"))["profile"]["username"] == "Alice"


async def test_only_a_person_has_a_profile_to_change(nobody: Client) -> None:
    with pytest.raises(RefusedError) as refused:
        await update(nobody, username="nobody-at-all")
    assert refused.value.code == "UNAUTHENTICATED"


async def test_a_viewer_is_one_statement_and_tells_every_limit(empty_house: House, statements: list[str]) -> None:
    await empty_house.start_api(generations_per_hour=7, max_concurrent=2, storage_bytes=2**53 - 1, uploads_per_day=3)
    alice = empty_house.person("alice", email="alice@example.com")
    await alice.create_generation()
    db = await empty_house.database()
    async with db.as_service() as session:
        await session.execute(text("update user_rate_limits set storage_bytes_used = 5000000001"))
    statements.clear()
    viewer = (await alice.query(VIEWER))["viewer"]
    assert len(statements) == 1, statements
    assert viewer["email"] == "alice@example.com"
    assert viewer["limits"] == {
        "generationsPerHour": 7, "generationsUsedThisHour": 1, "generationsPerDay": 1000, "generationsUsedToday": 1,
        "uploadsPerDay": 3, "uploadsUsedToday": 0, "storageBytes": 2**53 - 1, "storageBytesUsed": 5000000001,
        "maxConcurrent": 2, "running": 0, "queued": 1,
    }  # fmt: skip
