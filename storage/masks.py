"""What is to be painted anew of a picture: said by a mask, white there, or by the picture, transparent there."""

from pathlib import Path

from PIL import Image, ImageChops

from storage.errors import ImageTooLargeError, ImageUnreadableError
from storage.images import FORMATS


def cut_out(source: Path, mask: Path, into: Path, *, max_pixels: int) -> Path:
    """The source as a PNG, transparent where the mask is white; its colours stay below.

    Blocks: call it in a thread. Raises ImageTooLargeError, ImageUnreadableError.
    """
    picture, where = _open(source, max_pixels).convert("RGB"), _open(mask, max_pixels).convert("L")
    picture.putalpha(ImageChops.invert(where.resize(picture.size)))
    picture.save(into, "PNG", compress_level=1)
    return into


def transparency(source: Path, into: Path, *, max_pixels: int) -> Path:
    """A mask as a PNG, white where the source is transparent.

    Blocks: call it in a thread. Raises ImageTooLargeError, ImageUnreadableError.
    """
    alpha = _open(source, max_pixels).convert("RGBA").getchannel("A")
    ImageChops.invert(alpha).convert("RGB").save(into, "PNG", compress_level=1)
    return into


def _open(path: Path, max_pixels: int) -> Image.Image:
    try:
        image = Image.open(path, formats=FORMATS)
        if image.width * image.height > max_pixels:
            raise ImageTooLargeError
        image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ImageUnreadableError from error
    return image
