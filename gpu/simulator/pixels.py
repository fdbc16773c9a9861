"""Pictures as they are: loaded, scaled, cut into channels."""

from pathlib import Path

from PIL import Image, ImageOps

from gpu.simulator.values import Pixels


def plain(width: int, height: int, colour: int, count: int) -> Pixels:
    """So many images of one colour, 0xRRGGBB."""
    rgb = (colour >> 16 & 255, colour >> 8 & 255, colour & 255)
    return tuple(Image.new("RGB", (width, height), rgb) for _ in range(count))


def load(path: Path) -> tuple[Image.Image, Image.Image]:
    """An image and its mask: 1 − alpha; black, 64 × 64, when it has no alpha."""
    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened)
        if image.has_transparency_data:
            return image.convert("RGB"), ImageOps.invert(image.convert("RGBA").getchannel("A"))
        return image.convert("RGB"), Image.new("L", (64, 64), 0)


def channel(images: Pixels, name: str) -> Pixels:
    """One channel of each, as masks."""
    if name == "alpha":
        return tuple(Image.new("L", image.size, 255) for image in images)
    return tuple(image.getchannel(name[0].upper()) for image in images)


def scale(images: Pixels, size: tuple[int, int], crop: bool = False) -> Pixels:
    """Each at this size; 0 keeps the aspect ratio; with `crop` the middle is kept and nothing is squeezed."""
    width, height = size
    old_width, old_height = images[0].size
    width = width or max(round(old_width * height / old_height), 1)
    height = height or max(round(old_height * width / old_width), 1)
    if crop:
        return tuple(ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS) for image in images)
    return tuple(image.resize((width, height), Image.Resampling.LANCZOS) for image in images)
