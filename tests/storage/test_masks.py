"""What is to be painted anew, said in the two ways that engines understand."""

from pathlib import Path

import pytest
from PIL import Image

from storage import masks
from storage.errors import ImageTooLargeError, ImageUnreadableError

SIZE = (8, 4)


def saved(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


def half(first: object, second: object, mode: str) -> Image.Image:
    """The left half in one colour, the right one in another."""
    image = Image.new(mode, SIZE, first)  # type: ignore[arg-type]
    image.paste(second, (4, 0, 8, 4))  # type: ignore[arg-type]
    return image


def test_a_source_is_transparent_where_its_mask_is_white(tmp_path: Path) -> None:
    source = saved(Image.new("RGB", SIZE, (200, 40, 10)), tmp_path / "source.png")
    mask = saved(half("white", "black", "RGB"), tmp_path / "mask.png")
    cut = Image.open(masks.cut_out(source, mask, tmp_path / "cut.png", max_pixels=100))
    assert (cut.mode, cut.getpixel((0, 0)), cut.getpixel((7, 3))) == ("RGBA", (200, 40, 10, 0), (200, 40, 10, 255))


def test_a_mask_is_white_where_its_source_is_transparent(tmp_path: Path) -> None:
    source = saved(half((1, 2, 3, 0), (1, 2, 3, 255), "RGBA"), tmp_path / "source.webp")
    mask = Image.open(masks.transparency(source, tmp_path / "mask.png", max_pixels=100))
    assert (mask.getpixel((0, 0)), mask.getpixel((7, 3))) == ((255, 255, 255), (0, 0, 0))


def test_what_is_too_large_or_no_picture_is_refused(tmp_path: Path) -> None:
    picture = saved(Image.new("RGB", SIZE), tmp_path / "picture.png")
    with pytest.raises(ImageTooLargeError):
        masks.transparency(picture, tmp_path / "out.png", max_pixels=31)
    picture.write_bytes(picture.read_bytes()[:40])
    with pytest.raises(ImageUnreadableError):
        masks.transparency(picture, tmp_path / "out.png", max_pixels=100)
