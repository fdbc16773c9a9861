"""What only a folder has to see to."""

import asyncio
import os
from pathlib import Path

import pytest

from storage.config import FolderConfig
from storage.errors import KeyRefusedError, ObjectMissingError, StorageError
from storage.objects import Storage, open_storage
from tests.storage.test_objects import new_key, stored


@pytest.mark.parametrize(
    "key", ["picture/../../etc/passwd", "/etc/passwd", "picture//x", "picture/.", "picture/\0", "a\\b"]
)
async def test_no_key_leads_out_of_the_folder(folder: Storage, fox: Path, key: str) -> None:
    with pytest.raises(KeyRefusedError):
        await folder.put(key, fox, "image/png")
    with pytest.raises(KeyRefusedError):
        await folder.open(key)


async def test_every_file_lies_two_levels_below_the_root(folder: Storage, fox: Path, tmp_path: Path) -> None:
    keys = ["picture/%2e%2e/x+type", "picture/~/C:/x", "picture/ü/日本.png", new_key()]
    for key in keys:
        await folder.put(key, fox, "image/png")
    files = [path for path in (tmp_path / "folder").rglob("*") if path.is_file()]
    assert all(path.parent.parent == tmp_path / "folder" for path in files)
    assert sorted([key async for key in folder.list()]) == sorted(keys)


async def test_objects_spread_over_many_folders(folder: Storage, tmp_path: Path) -> None:
    await asyncio.gather(*(stored(folder, tmp_path, b"x") for _ in range(50)))
    assert len(list((tmp_path / "folder").iterdir())) > 40


async def test_a_write_that_fails_leaves_what_was_there(folder: Storage, tmp_path: Path) -> None:
    key = await stored(folder, tmp_path, b"first")
    with pytest.raises(StorageError):
        await folder.put(key, tmp_path / "missing", "image/webp")
    assert await (await folder.open(key)).read() == b"first"
    assert list((tmp_path / "folder" / "tmp").iterdir()) == []


async def test_a_reader_finishes_what_is_replaced_and_deleted_meanwhile(folder: Storage, tmp_path: Path) -> None:
    key = await stored(folder, tmp_path, b"first")
    reader = await folder.open(key)
    source = tmp_path / "second"
    source.write_bytes(b"second")
    await folder.put(key, source, "image/webp")
    await folder.delete([key])
    assert await reader.read() == b"first"


async def test_what_a_dead_process_left_is_removed_a_day_later(tmp_path: Path) -> None:
    tmp = tmp_path / "folder" / "tmp"
    tmp.mkdir(parents=True)
    for name, age_seconds in (("old", 90000), ("new", 60)):
        (tmp / name).touch()
        written_at = (tmp / name).stat().st_mtime - age_seconds
        os.utime(tmp / name, (written_at, written_at))
    async with open_storage(FolderConfig(tmp_path / "folder")):
        assert [path.name for path in tmp.iterdir()] == ["new"]


async def test_a_folder_that_cannot_be_made_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        async with open_storage(FolderConfig(tmp_path / "file")):
            pass


async def test_a_folder_has_no_addresses_of_its_own(folder: Storage) -> None:
    assert await folder.signed_url(new_key(), expires_seconds=60) is None


async def test_an_object_removed_behind_our_back_is_missing(folder: Storage, tmp_path: Path) -> None:
    key = await stored(folder, tmp_path, b"x")
    for path in (tmp_path / "folder").glob("*/*full*"):
        path.unlink()
    with pytest.raises(ObjectMissingError):
        await folder.open(key)
