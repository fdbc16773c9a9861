"""The picture: drawn from the prompt's words, the seed and the size, always the same for the same."""

import hashlib
import io
import random

from PIL import Image, ImageDraw

from gpu.simulator.values import Sketch


def letters(text: str) -> str:
    """Five letters that stand for a text."""
    return "".join(chr(97 + byte % 26) for byte in hashlib.sha256(text.encode()).digest()[:5])


def paint(sketch: Sketch, index: int = 0, *, quick: bool = False) -> Image.Image:
    """One picture of the batch at its full size."""
    rng = random.Random(f"{sketch.prompt}/{sketch.seed}/{index}")  # noqa: S311
    image = Image.new("RGB", (2, 2))
    image.putdata([tuple(rng.randrange(256) for _ in range(3)) for _ in range(4)])
    image = image.resize((sketch.width, sketch.height), Image.Resampling.BILINEAR)
    ImageDraw.Draw(image).text((8, 8), f"simulated · seed {sketch.seed}")
    return image


class Preview:
    """Ever sharper pictures of what is to come."""

    def __init__(self, sketch: Sketch) -> None:
        self._image = paint(sketch, quick=True)

    def frame(self, progress: float) -> bytes:
        """A JPEG of 512 pixels at the most, at a point between 0 and 1."""
        buffer = io.BytesIO()
        image = self._image.copy()
        image.thumbnail((512, 512))
        image.save(buffer, "JPEG", quality=85)
        return buffer.getvalue()
