"""What a storage promises, whichever it is."""

import asyncio
import resource
from pathlib import Path
from uuid import uuid4

import pytest

from storage.errors import KeyRefusedError, ObjectMissingError, RangeError
from storage.objects import Storage
from storage.stored_object import CHUNK_BYTES

MEBIBYTE = 1024 * 1024


def new_key(extension: str = "webp") -> str:
    return f"picture/generations/{uuid4()}/{uuid4()}/0-full.{extension}"


async def stored(storage: Storage, tmp_path: Path, content: bytes, content_type: str = "image/webp") -> str:
    source = tmp_path / "source"
    source.write_bytes(content)
    key = new_key()
    await storage.put(key, source, content_type)
    return key


async def test_what_was_stored_comes_back(storage: Storage, fox: Path) -> None:
    key = new_key()
    await storage.put(key, fox, "image/webp")
    found = await storage.open(key)
    assert (found.size, found.start, found.length) == (fox.stat().st_size, 0, fox.stat().st_size)
    assert found.content_type == "image/webp"
    assert found.etag.startswith('"')
    assert await found.read() == fox.read_bytes()


async def test_a_content_type_is_kept_though_the_extension_says_another(storage: Storage, tmp_path: Path) -> None:
    key = await stored(storage, tmp_path, b"<svg/>", "image/svg+xml")
    found = await storage.open(key)
    found.close()
    assert found.content_type == "image/svg+xml"


async def test_storing_again_replaces(storage: Storage, tmp_path: Path) -> None:
    key = await stored(storage, tmp_path, b"first", "image/png")
    source = tmp_path / "second"
    source.write_bytes(b"second")
    await storage.put(key, source, "image/webp")
    found = await storage.open(key)
    assert (found.content_type, await found.read()) == ("image/webp", b"second")


@pytest.mark.parametrize(
    ("byte_range", "expected"),
    [((0, 0), b"0"), ((2, 4), b"234"), ((7, None), b"789"), ((-3, None), b"789"), ((5, 100), b"56789")],
)
async def test_a_part_is_read(
    storage: Storage, tmp_path: Path, byte_range: tuple[int, int | None], expected: bytes
) -> None:
    found = await storage.open(await stored(storage, tmp_path, b"0123456789"), byte_range)
    assert (found.size, found.length) == (10, len(expected))
    assert await found.read() == expected == b"0123456789"[found.start : found.start + found.length]


async def test_a_part_that_is_not_there_tells_the_size(storage: Storage, tmp_path: Path) -> None:
    key = await stored(storage, tmp_path, b"0123456789")
    with pytest.raises(RangeError) as refusal:
        await storage.open(key, (10, None))
    assert refusal.value.size == 10


async def test_a_missing_object_is_said_to_be_missing(storage: Storage) -> None:
    with pytest.raises(ObjectMissingError):
        await storage.open(new_key())


async def test_deleting_removes_and_may_be_repeated(storage: Storage, tmp_path: Path) -> None:
    gone, kept = [await stored(storage, tmp_path, content) for content in (b"gone", b"kept")]
    for _ in range(2):
        await storage.delete([gone, new_key()])
    with pytest.raises(ObjectMissingError):
        await storage.open(gone)
    assert await (await storage.open(kept)).read() == b"kept"


async def test_more_are_deleted_than_fit_one_request(storage: Storage, tmp_path: Path) -> None:
    last = await stored(storage, tmp_path, b"last")
    await storage.delete([*(new_key() for _ in range(1500)), last])
    with pytest.raises(ObjectMissingError):
        await storage.open(last)


@pytest.mark.parametrize("key", ["others/cat.png", "picture", "pictures/cat.png", "picture/../others/cat.png", ""])
async def test_nothing_outside_the_prefix_is_written_or_deleted(storage: Storage, fox: Path, key: str) -> None:
    ours = new_key()
    await storage.put(ours, fox, "image/webp")
    with pytest.raises(KeyRefusedError):
        await storage.put(key, fox, "image/png")
    with pytest.raises(KeyRefusedError):
        await storage.delete([ours, key])
    (await storage.open(ours)).close()


async def test_listing_names_what_is_below_the_prefix(storage: Storage, tmp_path: Path) -> None:
    mine = {await stored(storage, tmp_path, b"x", "image/svg+xml") for _ in range(3)}
    listed = [key async for key in storage.list()]
    assert mine <= set(listed)
    assert len(listed) == len(set(listed))
    assert all(key.startswith("picture/") for key in listed)


async def test_many_are_stored_and_read_at_once(storage: Storage, tmp_path: Path) -> None:
    async def one(number: int) -> bool:
        source = tmp_path / f"source-{number}"
        source.write_bytes(b"%d" % number * 1000)
        key = new_key()
        await storage.put(key, source, "image/webp")
        return await (await storage.open(key)).read() == source.read_bytes()

    assert all(await asyncio.gather(*(one(number) for number in range(50))))


async def test_a_large_file_goes_through_a_little_memory(storage: Storage, tmp_path: Path) -> None:
    source = tmp_path / "large"
    with source.open("wb") as file:
        file.truncate(192 * MEBIBYTE)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    key = new_key()
    await storage.put(key, source, "application/octet-stream")
    sizes = [len(chunk) async for chunk in (await storage.open(key)).chunks()]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    await storage.delete([key])
    assert (sum(sizes), max(sizes)) == (192 * MEBIBYTE, CHUNK_BYTES)
    assert grown < 32 * MEBIBYTE


async def test_a_reader_may_leave_in_the_middle(storage: Storage, tmp_path: Path) -> None:
    key = await stored(storage, tmp_path, bytes(2 * CHUNK_BYTES))
    chunks = (await storage.open(key)).chunks()
    await anext(chunks)
    await chunks.aclose()
    assert len(await (await storage.open(key)).read()) == 2 * CHUNK_BYTES


async def test_it_answers_when_asked(storage: Storage) -> None:
    await storage.ping()
