"""What strangers send, made anew in a process of its own: each hostile file, and what it ends as."""

import asyncio
import time
from pathlib import Path

import pytest
from PIL import Image

from storage import anew
from storage.anew import Making
from storage.errors import ImageError, ImageLaboriousError
from tests.storage import hostile

MAKING = Making(seconds=20)


async def outcome(data: bytes, folder: Path, making: Making = MAKING) -> tuple[int, int] | str:
    """The size of the picture that it became, or the name of the error."""
    source = folder / "source"
    source.write_bytes(data)
    try:
        made = await anew.make(source, folder / "made", making)
    except ImageError as error:
        return type(error).__name__
    for path in (made.path, made.medium_path, made.small_path):
        with Image.open(path) as picture:
            picture.load()
            assert picture.format == "WEBP"
            assert not set(picture.info) - {"loop", "background", "timestamp", "duration"}, picture.info
            assert getattr(picture, "n_frames", 1) == 1
    return made.width, made.height


@pytest.mark.parametrize("name", hostile.FILES)
async def test_a_stranger_s_file_ends_as_it_should(name: str, tmp_path: Path) -> None:
    make, expected = hostile.FILES[name]
    assert await outcome(make(), tmp_path) == expected


async def test_nothing_of_what_was_hidden_is_left(tmp_path: Path) -> None:
    for make in (hostile.with_gps, hostile.with_script, lambda: hostile.saved(hostile.small()) + hostile.zipped()):
        assert isinstance(await outcome(make(), tmp_path), tuple)
        for path in (tmp_path / "made").iterdir():
            kept = path.read_bytes()
            assert not any(word in kept for word in (b"camera", b"where", b"script", b"PK\x03\x04", b"Exif", b"ICCP"))


async def test_what_takes_too_long_ends_there(tmp_path: Path) -> None:
    data = hostile.busy()
    began = time.monotonic()
    assert await outcome(data, tmp_path, Making(seconds=1)) == ImageLaboriousError.__name__
    assert time.monotonic() - began < 10


async def test_what_takes_too_much_memory_ends_without_harm(tmp_path: Path) -> None:
    small = Making(seconds=20, max_pixels=1_000_000)
    big = hostile.saved(Image.new("RGB", (6240, 6240)))
    assert await outcome(big, tmp_path, small) == "ImageTooLargeError"
    assert small.memory_bytes < 320 * 2**20


async def test_the_loop_goes_on_meanwhile(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(hostile.bomb())
    making = asyncio.create_task(anew.make(source, tmp_path / "made", MAKING))
    late = 0.0
    while not making.done():
        asked = time.monotonic()
        await asyncio.sleep(0.01)
        late = max(late, time.monotonic() - asked)
    assert (await making).width == 6240
    assert late < 0.5
