"""Previews cut down to what a phone needs."""

import io

from PIL import Image

MAX_PX = 256
MAX_BYTES = 24_000
_LARGEST_SOURCE_PX = 4_000_000  # ComfyUI's own are 512 px; anything huge is no preview

_TRIES = ((MAX_PX, 80), (MAX_PX, 60), (MAX_PX, 40), (192, 40), (128, 30))


def shrink(image: bytes) -> bytes | None:
    """`image` as a JPEG of at most MAX_PX and MAX_BYTES; None when it is no image. Some ms of CPU: for a thread."""
    try:
        with Image.open(io.BytesIO(image), formats=("JPEG", "PNG")) as source:
            if source.width * source.height > _LARGEST_SOURCE_PX:
                return None
            source.draft("RGB", (MAX_PX, MAX_PX))  # a JPEG need not be decoded larger than it is shown
            picture = source.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    for px, quality in _TRIES:
        picture.thumbnail((px, px), Image.Resampling.BILINEAR)
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality)
        if out.tell() <= MAX_BYTES:
            return out.getvalue()
    return None
