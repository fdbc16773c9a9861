"""The picture: drawn from the prompt's words, the seed and the size, always the same for the same."""

import hashlib
import io
import random
from functools import cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from gpu.simulator import figures, palettes, scenes
from gpu.simulator.canvas import Canvas
from gpu.simulator.palettes import Palette
from gpu.simulator.values import Sketch

_QUICK_PX = 128
_PREVIEW_PX = 512  # as the real one sends them
_DRAFT_PX = 256


def letters(text: str) -> str:
    """Five letters that stand for a text."""
    return "".join(chr(97 + byte % 26) for byte in hashlib.sha256(text.encode()).digest()[:5])


def paint(sketch: Sketch, index: int = 0, *, quick: bool = False) -> Image.Image:
    """One picture of the batch at its full size; quick ones are drawn small and enlarged."""
    image = draw(sketch, index, limit_px=_QUICK_PX if quick else None)
    if image.size != (sketch.width, sketch.height):
        image = image.resize(
            (sketch.width, sketch.height), Image.Resampling.NEAREST
        )  # packs twice as fast as a smooth one
    return sign(image, f"simulated · seed {sketch.seed}", sketch.prompt)


def draw(sketch: Sketch, index: int = 0, limit_px: int | None = None) -> Image.Image:
    """The picture without its label, its longer side no longer than `limit_px`."""
    factor = min(limit_px / max(sketch.width, sketch.height), 1) if limit_px else 1
    size = (max(round(sketch.width * factor), 1), max(round(sketch.height * factor), 1))
    words = palettes.words_of(sketch.prompt)
    # What the words decide is the same for every seed; the seed and the index decide the rest.
    subject = random.Random(" ".join(words))  # noqa: S311
    rng = random.Random(f"{' '.join(words)}/{sketch.seed}/{index}")  # noqa: S311
    palette = palettes.choose(palettes.of_scene(words, figures.COATS), rng)
    canvas = Canvas(*size, palette, rng)
    scenes.SCENES[scenes.choose(words, subject)](canvas)
    figures.draw(canvas, words, palettes.named(words))
    return canvas.image if sketch.source is None else _over(sketch, sketch.source, canvas.image, palette)


def _over(sketch: Sketch, source: Image.Image, new: Image.Image, palette: Palette) -> Image.Image:
    """The source, moved so far towards the new picture; only where the mask is white, if there is one."""
    old = ImageOps.fit(source, new.size, Image.Resampling.BILINEAR)
    tones = ImageOps.colorize(ImageOps.grayscale(old), palette.near, palette.light, palette.far)
    graded = Image.blend(old, tones, min(sketch.strength, 1) * 0.8)
    share = 1.0 if sketch.strength >= 1 else sketch.strength**2 * 0.8
    image = Image.blend(graded, new, share)
    if sketch.mask is None:
        return image
    mask = ImageOps.fit(sketch.mask, new.size, Image.Resampling.BILINEAR)
    return Image.composite(image, old, mask.filter(ImageFilter.GaussianBlur(max(new.size) / 200)))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def sign(image: Image.Image, text: str, prompt: str = "") -> Image.Image:
    """Say in a corner that this is no model's work; with the prompt, as far as it fits. Changes the image."""
    size = max(round(min(image.size) / 56), 9)
    font = _font(size)
    words = " ".join(prompt.split())
    if words.isascii():
        while words and font.getlength(f"{text} · {words}") > image.width * 0.6:
            words = words.rsplit(" ", 1)[0].rstrip(",.") if " " in words else ""
        text = f"{text} · {words}" if words else text
    width, height = font.getlength(text) + size * 1.2, size * 1.8
    if width > image.width or height > image.height:
        return image
    left, top = image.width - width - size * 0.6, image.height - height - size * 0.6
    plate = Image.new("L", (round(width), round(height)))
    ImageDraw.Draw(plate).rounded_rectangle((0, 0, width - 1, height - 1), height / 2, fill=190)
    image.paste((10, 10, 18), (round(left), round(top)), plate)
    place = (left + width / 2, top + height / 2)
    ImageDraw.Draw(image).text(place, text, fill=(244, 244, 240), font=font, anchor="mm")
    return image


class Preview:
    """Ever sharper pictures of what is to come."""

    def __init__(self, sketch: Sketch) -> None:
        self._image = draw(sketch, limit_px=_DRAFT_PX)
        factor = _PREVIEW_PX / max(sketch.width, sketch.height)
        self._size = (max(round(sketch.width * factor), 1), max(round(sketch.height * factor), 1))
        noise = random.Random(sketch.seed).randbytes(64 * 64 * 3)  # noqa: S311
        self._noise = Image.frombytes("RGB", (64, 64), noise)

    def frame(self, progress: float) -> bytes:
        """A JPEG whose longer side has 512 pixels, at a point between 0 and 1."""
        width, height = self._image.size
        coarse = max(0.03 + 0.97 * progress**1.6, 0.03)
        small = self._image.resize(
            (max(round(width * coarse), 2), max(round(height * coarse), 2)), Image.Resampling.BOX
        )
        veil = 0.75 * (1 - progress) ** 1.5
        if veil > 0.01:
            small = Image.blend(small, self._noise.resize(small.size, Image.Resampling.NEAREST), veil)
        buffer = io.BytesIO()
        small.resize(self._size, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=85)
        return buffer.getvalue()
