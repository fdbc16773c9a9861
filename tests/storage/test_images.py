"""Pictures made ready to be stored."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import blurhash
import pytest
from PIL import Image, ImageCms, ImageStat, PngImagePlugin

from storage.errors import ImageTooLargeError, ImageUnreadableError
from storage.images import Rendered, render

MAX_PIXELS = 40_000_000
RED, BLUE = (230, 20, 20), (20, 20, 230)


def rendered(picture: Image.Image, folder: Path, *, format: str = "webp", **saved: Any) -> Rendered:
    source = folder / "source.png"
    picture.save(source, **saved)
    return render(source, folder / "out", format=format, max_pixels=MAX_PIXELS)


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        picture.load()
        return picture


def is_near(pixel: object, expected: tuple[float, ...], by: float = 12) -> bool:
    assert isinstance(pixel, tuple)
    return len(pixel) == len(expected) and all(abs(a - b) <= by for a, b in zip(pixel, expected, strict=True))


def test_a_picture_gets_two_thumbnails(fox: Path, tmp_path: Path) -> None:
    made = render(fox, tmp_path / "out", max_pixels=MAX_PIXELS)
    files = (made.path, made.medium_path, made.small_path)
    assert [opened(path).size for path in files] == [(640, 480), (640, 480), (256, 192)]
    assert [opened(path).format for path in files] == ["WEBP", "WEBP", "WEBP"]
    assert (made.width, made.height, made.format, made.file_size) == (640, 480, "webp", made.path.stat().st_size)


@pytest.mark.parametrize(
    ("size", "medium", "small"),
    [((1536, 1024), (768, 512), (256, 171)), ((100, 60), (100, 60), (100, 60)), ((20, 4000), (4, 768), (1, 256))],
)
def test_thumbnails_keep_the_shape_and_are_never_larger(
    tmp_path: Path, size: tuple[int, int], medium: tuple[int, int], small: tuple[int, int]
) -> None:
    made = rendered(Image.new("RGB", size, RED), tmp_path)
    assert (opened(made.medium_path).size, opened(made.small_path).size) == (medium, small)


def test_webp_is_a_fraction_of_the_png_and_looks_like_it(fox: Path, tmp_path: Path) -> None:
    made = render(fox, tmp_path / "out", max_pixels=MAX_PIXELS)
    assert 10_000 < made.file_size < fox.stat().st_size / 2
    means = [ImageStat.Stat(opened(path).convert("RGB")).mean for path in (fox, made.path, made.small_path)]
    assert is_near(tuple(means[1]), tuple(means[0]), 3)
    assert is_near(tuple(means[2]), tuple(means[0]), 3)


def test_png_is_kept_to_the_bit(fox: Path, tmp_path: Path) -> None:
    made = render(fox, tmp_path / "out", format="png", max_pixels=MAX_PIXELS)
    assert (made.path.suffix, made.small_path.suffix) == (".png", ".webp")
    assert opened(made.path).tobytes() == opened(fox).tobytes()


@pytest.mark.parametrize("format", ["webp", "png"])
def test_nothing_that_the_file_said_is_kept(tmp_path: Path, format: str) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("prompt", "sentinel: the whole workflow")
    text.add_itxt("workflow", "sentinel")
    exif = Image.Exif()
    exif[0x010E] = "sentinel"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = rendered(
        Image.new("RGB", (64, 64), RED), tmp_path, format=format, pnginfo=text, exif=exif, icc_profile=profile
    )
    for path in (made.path, made.medium_path, made.small_path):
        content = path.read_bytes()
        assert not any(mark in content for mark in (b"sentinel", b"EXIF", b"eXIf", b"tEXt", b"iTXt", b"ICCP", b"iCCP"))
        assert set(opened(path).info) <= {"loop", "background", "timestamp", "duration"}


def test_a_picture_that_lies_on_its_side_is_set_upright(tmp_path: Path) -> None:
    picture = Image.new("RGB", (80, 40), RED)
    picture.paste(BLUE, (0, 0, 40, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    source = tmp_path / "source.jpg"
    picture.save(source, exif=exif, quality=95)
    made = render(source, tmp_path / "out", max_pixels=MAX_PIXELS)
    upright = opened(made.path).convert("RGB")
    assert (upright.size, made.width, made.height) == ((40, 80), 40, 80)
    assert is_near(upright.getpixel((20, 10)), BLUE, 25)
    assert is_near(upright.getpixel((20, 70)), RED, 25)


@pytest.mark.parametrize("format", ["webp", "png"])
def test_what_is_transparent_stays_so(tmp_path: Path, format: str) -> None:
    picture = Image.new("RGBA", (300, 300), (*RED, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 150, 300))
    made = rendered(picture, tmp_path, format=format)
    for path in (made.path, made.small_path):
        stored = opened(path)
        assert stored.mode == "RGBA"
        assert [stored.getchannel("A").getpixel((x, 20)) for x in (20, stored.width - 20)] == [0, 255]


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("L", (64, 64), 128),
        Image.new("I;16", (64, 64), 128 * 257),
        Image.new("LA", (64, 64), (128, 255)),
        Image.new("RGB", (64, 64), (128, 128, 128)).quantize(4),
    ],
    ids=["grey", "16 bits", "grey with alpha", "palette"],
)
def test_every_kind_of_png_keeps_its_colours(tmp_path: Path, picture: Image.Image) -> None:
    made = rendered(picture, tmp_path)
    assert is_near(opened(made.path).convert("RGB").getpixel((32, 32)), (128, 128, 128), 3)


def test_colours_of_another_space_become_those_of_the_web(tmp_path: Path) -> None:
    lab_like = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    broken = lab_like[:60]
    for name, profile in (("same", lab_like), ("broken", broken)):
        folder = tmp_path / name
        folder.mkdir()
        made = rendered(Image.new("RGB", (64, 64), RED), folder, icc_profile=profile)
        assert is_near(opened(made.path).convert("RGB").getpixel((32, 32)), RED)


def test_the_blurhash_resembles_the_picture(tmp_path: Path) -> None:
    picture = Image.new("RGB", (640, 320), RED)
    picture.paste(BLUE, (0, 0, 320, 320))
    made = rendered(picture, tmp_path)
    assert 20 <= len(made.blurhash) <= 40
    blurred = blurhash.decode(made.blurhash, 32, 16)
    left, right = blurred.getpixel((3, 8)), blurred.getpixel((28, 8))
    assert left[2] > left[0] + 100
    assert right[0] > right[2] + 100


def header_of_png(width: int, height: int) -> bytes:
    """A PNG whose header promises that many pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(bytes(1000))
    chunks = (
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in (body, pixels)
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("size", [(6325, 6325), (10_000, 10_000), (50_000, 50_000)])
def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, size: tuple[int, int]) -> None:
    source = tmp_path / "bomb.png"
    source.write_bytes(header_of_png(*size))  # decoding it would say that it is cut short
    with pytest.raises(ImageTooLargeError):
        render(source, tmp_path / "out", max_pixels=MAX_PIXELS)
    assert not (tmp_path / "out").exists()


def test_a_side_that_webp_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageTooLargeError):
        rendered(Image.new("L", (16_384, 4)), tmp_path)
    assert rendered(Image.new("L", (16_384, 4)), tmp_path, format="png").width == 16_384


def test_a_file_that_is_cut_short_is_refused(fox: Path, tmp_path: Path) -> None:
    whole = fox.read_bytes()
    for length in (0, 10, 40, len(whole) // 2, len(whole) - 1000):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(ImageUnreadableError):
            render(tmp_path / "cut", tmp_path / "out", max_pixels=MAX_PIXELS)


@pytest.mark.parametrize("format", ["GIF", "TIFF", "BMP", "PDF", "EPS"])
def test_other_kinds_of_files_are_not_even_tried(tmp_path: Path, format: str) -> None:
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, format)
    (tmp_path / "source.png").write_bytes(content.getvalue())
    with pytest.raises(ImageUnreadableError):
        render(tmp_path / "source.png", tmp_path / "out", max_pixels=MAX_PIXELS)
