"""How large a generation's images become."""

import math
import re

from db.errors import InvalidInputError
from db.tables import ModelRow

RATIO = re.compile(r"([1-9][0-9]{0,3}):([1-9][0-9]{0,3})")


def exact(model: ModelRow, width: int, height: int) -> tuple[int, int]:
    """The size as asked for. Raises InvalidInputError when the model does not make it."""
    for name, pixels, least, most in (
        ("width", width, model.min_width, model.max_width),
        ("height", height, model.min_height, model.max_height),
    ):
        if not least <= pixels <= most:
            raise InvalidInputError(f"{model.name} makes a {name} of {least} to {most}.", path=("input", name))
        if pixels % model.size_multiple:
            raise InvalidInputError(
                f"{model.name} makes a {name} in multiples of {model.size_multiple}.", path=("input", name)
            )
    if width * height > model.max_pixels:
        raise InvalidInputError(
            f"{model.name} makes at most {model.max_pixels} pixels; this is {width * height}.",
            path=("input", "width"),
            code="TOO_LARGE",
        )
    return width, height


def by_ratio(model: ModelRow, aspect_ratio: str) -> tuple[int, int]:
    """The model's native pixel count in that shape. Raises InvalidInputError when it is not one of the model's."""
    match = RATIO.fullmatch(aspect_ratio)
    if not match:
        raise InvalidInputError('An aspect ratio looks like "16:9".', path=("input", "aspectRatio"))
    if aspect_ratio not in model.aspect_ratios:
        raise InvalidInputError(
            f"{model.name} makes {', '.join(model.aspect_ratios)}.",
            path=("input", "aspectRatio"),
            code="UNSUPPORTED_BY_MODEL",
        )
    return like(model, int(match[1]), int(match[2]))


def like(model: ModelRow, width: int, height: int) -> tuple[int, int]:
    """The model's native pixel count in the shape of width to height, within its limits and in its multiples."""
    scale = math.sqrt(model.native_pixels / (width * height))
    across = _step(width * scale, model.size_multiple, model.min_width, model.max_width)
    down = _step(height * scale, model.size_multiple, model.min_height, model.max_height)
    while across * down > model.max_pixels:  # rounding up may have passed it
        if across >= down:
            across -= model.size_multiple
        else:
            down -= model.size_multiple
    return across, down


def _step(pixels: float, multiple: int, least: int, most: int) -> int:
    """The multiple nearest to `pixels` from `least` to `most`."""
    nearest = math.floor(pixels / multiple + 0.5)
    return min(max(nearest, -(-least // multiple)), most // multiple) * multiple
