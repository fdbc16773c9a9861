"""Pictures made ready to be stored: re-encoded without metadata, with two thumbnails and a blurhash.

The file is decoded once, after its header has told how many pixels that takes; the thumbnails are made from each
other, largest first. A 1024² PNG takes 0.15 s of one core: 15 ms to decode, 68 to encode as WebP (PNG: 116), 50 for
the medium thumbnail, 11 for the small one, 1 for the blurhash; Pillow lets other threads run meanwhile. At the limit
of 40 megapixels it is 4 s, and 0.4 GB: WebP's encoder has a copy of its own.
"""

import io
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import blurhash
from PIL import Image, ImageCms, ImageOps

from storage.errors import ImageTooLargeError, ImageUnreadableError

FORMATS = ("PNG", "JPEG", "WEBP")  # the decoders that a file may choose: Pillow has fifty
SMALL_PX = 256
MEDIUM_PX = 768
WEBP_METHOD = 2  # takes half the time of the default, 4, and 1 % fewer bytes at quality 90 (thumbnails: 4 % more)
WEBP_MAX_PX = 16383
THUMBNAIL_QUALITY = 80
PNG_COMPRESSION = 3
REDUCING_GAP = 2.0  # large pictures are first shrunk by whole pixels: 2.5 times as fast at 4096 px, looks the same
BLURHASH_PX = 32  # it holds a dozen waves: 0.7 ms instead of 35, and the same text but for rounding
SIXTEEN_BIT = {"I", "I;16", "I;16B", "I;16L", "I;16N"}


@dataclass(frozen=True, slots=True)
class Rendered:
    """The files to store, and what the row says about them."""

    path: Path
    medium_path: Path
    small_path: Path
    format: str  # of the full one; thumbnails are always WebP
    width: int
    height: int
    file_size: int  # bytes, of the full one
    blurhash: str


def render(source: Path, into: Path, *, format: str = "webp", quality: int = 90, max_pixels: int) -> Rendered:
    """The picture as `full`, `medium` and `small` files of the folder `into`, which is made.

    Upright, sRGB, alpha kept, nothing else of the source's. Blocks: call it in a thread, one picture at a time.
    Raises ImageTooLargeError before anything is decoded, ImageUnreadableError.
    """
    image = _decode(source, max_pixels, max_side_px=WEBP_MAX_PX if format == "webp" else None)
    into.mkdir(parents=True, exist_ok=True)
    path, medium_path, small_path = into / f"full.{format}", into / "medium.webp", into / "small.webp"
    width, height = image.size
    if format == "png":
        image.save(path, "PNG", compress_level=PNG_COMPRESSION)
    else:
        image.save(path, "WEBP", quality=quality, method=WEBP_METHOD)
    image = _thumbnail(image, MEDIUM_PX, medium_path)  # the large one is let go here
    image = _thumbnail(image, SMALL_PX, small_path)
    return Rendered(path, medium_path, small_path, format, width, height, path.stat().st_size, blurhash_of(image))


def blurhash_of(image: Image.Image) -> str:
    """The placeholder (blurhash.io) of a picture; what is transparent counts as white."""
    tiny = _shrunk(image, BLURHASH_PX)
    if tiny.mode == "RGBA":
        tiny = Image.alpha_composite(Image.new("RGBA", tiny.size, "white"), tiny)
    waves = (4, 3) if tiny.width >= tiny.height else (3, 4)
    text: str = blurhash.encode(tiny.convert("RGB"), *waves)  # closes what it is given
    return text


def _decode(source: Path, max_pixels: int, max_side_px: int | None) -> Image.Image:
    """The picture as plain RGB or RGBA, with nothing attached."""
    try:
        with Image.open(source, formats=FORMATS) as opened:
            if opened.width * opened.height > max_pixels or max(opened.size) > (max_side_px or max_pixels):
                raise ImageTooLargeError
            opened.load()
            ImageOps.exif_transpose(opened, in_place=True)
            image = _plain(_srgb(opened))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLargeError from error
    except ImageTooLargeError:
        raise
    except Exception as error:  # a damaged file makes Pillow raise whatever its bytes lead to
        raise ImageUnreadableError from error
    image.info.clear()  # savers would write what they find here
    return image


def _plain(image: Image.Image) -> Image.Image:
    if image.mode in SIXTEEN_BIT:
        image = image.point(lambda value: value * (1 / 257)).convert("L")  # convert() alone makes all of it white
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _srgb(image: Image.Image) -> Image.Image:
    """The colours as they were meant, for the profile that says so is not kept."""
    profile = image.info.get("icc_profile")
    if profile and image.mode in {"RGB", "RGBA", "CMYK"}:
        with suppress(ImageCms.PyCMSError, OSError):  # a profile that cannot be read changes nothing
            mode = "RGB" if image.mode == "CMYK" else image.mode
            embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, embedded, ImageCms.createProfile("sRGB"), outputMode=mode)
            return converted or image
    return image


def _thumbnail(image: Image.Image, longer_side_px: int, path: Path) -> Image.Image:
    small = _shrunk(image, longer_side_px)
    small.save(path, "WEBP", quality=THUMBNAIL_QUALITY, method=WEBP_METHOD)
    return small


def _shrunk(image: Image.Image, longer_side_px: int) -> Image.Image:
    """The picture with its longer side so long, or as it is when that is shorter."""
    scale = longer_side_px / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=REDUCING_GAP)
