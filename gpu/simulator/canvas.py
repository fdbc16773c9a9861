"""What a picture is drawn on."""

import math
import random
from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw

from gpu.simulator.palettes import Colour, Palette

Point = tuple[float, float]
FINE = 2  # masks are drawn so much larger, for smooth edges


@cache
def fading(strength: float, steepness: float) -> Image.Image:
    """A spot that is thick in its middle and nothing at its edge; to be resized, not to be changed."""
    return Image.radial_gradient("L").point(lambda v: round(255 * strength * max(1 - v / 180, 0) ** steepness))


class Canvas:
    """An image, what it is drawn with, and lengths in shares of its sides."""

    def __init__(self, width: int, height: int, palette: Palette, rng: random.Random) -> None:
        self.width, self.height = width, height
        self.palette, self.rng = palette, rng
        self.unit = math.sqrt(width * height)
        self.image = Image.new("RGB", (width, height), palette.horizon)

    def fill(self, colour: Colour, mask: Image.Image, at: tuple[int, int] = (0, 0)) -> None:
        """Lay a colour on, as thick as the mask."""
        self.image.paste(colour, (at[0], at[1], at[0] + mask.width, at[1] + mask.height), mask)

    def shape(self, colour: Colour, points: Sequence[Point], opacity: float = 1.0) -> None:
        """A filled polygon with smooth edges; points in pixels."""
        left = max(math.floor(min(x for x, _ in points)), 0)
        top = max(math.floor(min(y for _, y in points)), 0)
        right = min(math.ceil(max(x for x, _ in points)) + 1, self.width)
        bottom = min(math.ceil(max(y for _, y in points)) + 1, self.height)
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", ((right - left) * FINE, (bottom - top) * FINE))
        moved = [((x - left) * FINE, (y - top) * FINE) for x, y in points]
        ImageDraw.Draw(mask).polygon(moved, fill=round(255 * opacity))
        self.fill(colour, mask.reduce(FINE), (left, top))

    def disc(self, colour: Colour, x: float, y: float, radius: float, opacity: float = 1.0) -> None:
        """A filled circle with a smooth edge."""
        size = max(round(radius * 2), 2)
        mask = Image.new("L", (size * FINE, size * FINE))
        ImageDraw.Draw(mask).ellipse((0, 0, size * FINE - 1, size * FINE - 1), fill=round(255 * opacity))
        self.fill(colour, mask.reduce(FINE), (round(x - size / 2), round(y - size / 2)))

    def glow(self, colour: Colour, x: float, y: float, radius: float, strength: float = 1.0) -> None:
        """Light that fades out towards its edge."""
        size = max(round(radius * 2), 2)
        mask = fading(strength, 2.2)
        self.fill(
            colour, mask.resize((size, size), Image.Resampling.BILINEAR), (round(x - size / 2), round(y - size / 2))
        )
