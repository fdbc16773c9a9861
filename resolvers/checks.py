"""What is wrong with an input, found before anything is written; the error names the field."""

import secrets
from typing import Any
from uuid import UUID

from strawberry import UNSET

from db.enums import GenerationMode
from db.errors import InvalidInputError
from db.generations import NewGeneration
from db.images import ImageChanges
from db.tables import ImageRow, ModelRow
from resolvers import sizes, tagging, texts
from resolvers.ids import parse
from schema.bounds import Bounds
from schema.inputs import CreateGenerationInput, UpdateImageInput
from schema.model import Model

MAX_RATING = 5
SEED_BITS = 53  # what every JSON client reads back unchanged
MIN_START_SECONDS = 10
NEEDS_SOURCE = (GenerationMode.IMAGE_TO_IMAGE, GenerationMode.INPAINT, GenerationMode.UPSCALE)
# What a request may set, by the name that a model's modes list it under; the rest every model takes.
SETTABLE = {
    "negative_prompt": "negativePrompt",
    "width": "width",
    "height": "height",
    "aspect_ratio": "width",
    "steps": "steps",
    "guidance": "guidance",
    "seed": "seed",
    "source_image_id": "sourceImage",
    "strength": "strength",
}


def model_reference(reference: str) -> UUID | str:
    """The row's id of a Model's global id; else the text, taken for a slug."""
    parsed = parse(reference)
    return parsed[1] if parsed and parsed[0] == Model.__name__ else reference.replace("\0", "")


def generation(
    input: CreateGenerationInput, model: ModelRow, bounds: Bounds, source: ImageRow | None, mask: ImageRow | None
) -> NewGeneration:
    """What the model is to do, every open value filled in. Raises InvalidInputError naming the first wrong field."""
    mode = _mode(input, model, source, mask)
    _supported(input, model, model.modes[mode])
    _source_fits(mode, model, source)
    _mask_fits(mode, source, mask)
    takes = frozenset(model.modes[mode])
    width, height = _size(input, model, source)
    return NewGeneration(
        model=model,
        mode=mode,
        prompt=_prompt("prompt", input.prompt, bounds, required="prompt" in takes, model=model),
        negative_prompt=_prompt("negativePrompt", given(input.negative_prompt) or "", bounds) or None,
        width=width,
        height=height,
        steps=_number("steps", input.steps, model.min_steps, model.max_steps, model.default_steps),
        guidance=_number("guidance", input.guidance, model.min_guidance, model.max_guidance, model.default_guidance),
        seed=secrets.randbits(SEED_BITS) if given(input.seed) is None else int(input.seed or 0),
        image_count=int(_number("imageCount", input.image_count, 1, model.max_image_count, 1) or 1),
        source_image_id=source.id if source else None,
        mask_image_id=mask.id if mask else None,
        strength=_number("strength", input.strength, 0, 1, model.default_strength) if "strength" in takes else None,
        is_public=input.is_public,
        tags=tagging.normalise(given(input.tags) or (), "input", "tags"),
        start_within_seconds=_start_within(given(input.start_within_seconds)),
        # By chance nothing comes out the same.
        reuse=input.reuse and (given(input.seed) is not None or mode is GenerationMode.UPSCALE),
    )


def image_changes(input: UpdateImageInput) -> ImageChanges:
    """What is set; the absent stays. Raises InvalidInputError for null where there is nothing to clear."""
    for field, value in (
        ("isPublic", input.is_public),
        ("isFavorite", input.is_favorite),
        ("archived", input.archived),
    ):
        if value is None:
            raise _wrong(field, f"`{field}` is true or false.")
    rating = given(input.rating)
    if rating is not None and not 0 <= rating <= MAX_RATING:
        raise _wrong("rating", f"A rating is 0 to {MAX_RATING} stars.")
    return ImageChanges(
        is_public=given(input.is_public),
        is_favorite=given(input.is_favorite),
        archived=given(input.archived),
        has_rating=input.rating is not UNSET,
        rating=rating,
    )


def line(text: str, most: int, *path: str) -> str:
    """A text of one line. Raises InvalidInputError."""
    if "\n" in text or "\r" in text:
        raise InvalidInputError("One line.", path=path)
    return texts.text(text, most, *path)


def given(value: Any) -> Any:
    """The value, or None where leaving it out means the same as null."""
    return None if value is UNSET else value


def _wrong(field: str, message: str, code: str = "INVALID") -> InvalidInputError:
    return InvalidInputError(message, path=("input", field), code=code)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _mode(
    input: CreateGenerationInput, model: ModelRow, source: ImageRow | None, mask: ImageRow | None
) -> GenerationMode:
    """As asked for; else INPAINT with a mask, else IMAGE_TO_IMAGE with a source, else what the model does first."""
    offered = [mode for mode in GenerationMode if mode in model.modes]
    asked = given(input.mode)
    if asked is not None and asked not in offered:
        raise _wrong("mode", f"{model.name} does not do {asked.name}.", "UNSUPPORTED_BY_MODEL")
    if asked is not None:
        return GenerationMode(asked)
    if not offered:
        raise _wrong("model", f"{model.name} has no workflow.", "MODEL_UNAVAILABLE")
    if mask is not None:
        if GenerationMode.INPAINT not in offered:
            raise _wrong("maskImageId", f"{model.name} does not do INPAINT.", "UNSUPPORTED_BY_MODEL")
        return GenerationMode.INPAINT
    if source is None:
        return offered[0]
    with_source = [mode for mode in (GenerationMode.IMAGE_TO_IMAGE, offered[0]) if mode in offered]
    return next((mode for mode in with_source if mode in NEEDS_SOURCE), offered[0])


def _supported(input: CreateGenerationInput, model: ModelRow, takes: list[str]) -> None:
    for name, needed in SETTABLE.items():
        value = given(getattr(input, name))
        if value is not None and value != "" and needed not in takes:
            raise _wrong(_camel(name), f"{model.name} does not take `{_camel(name)}` here.", "UNSUPPORTED_BY_MODEL")


def _source_fits(mode: GenerationMode, model: ModelRow, source: ImageRow | None) -> None:
    if source is None:
        if mode in NEEDS_SOURCE:
            raise _wrong("sourceImageId", f"{mode.name} needs an image to start from.")
    elif model.max_source_pixels and source.width * source.height > model.max_source_pixels:
        raise _wrong("sourceImageId", f"{model.name} takes at most {model.max_source_pixels} pixels.", "TOO_LARGE")


def _mask_fits(mode: GenerationMode, source: ImageRow | None, mask: ImageRow | None) -> None:
    if mask is None:
        return
    if mode is not GenerationMode.INPAINT:
        raise _wrong("maskImageId", f"A mask is for INPAINT, not for {mode.name}.")
    if source and (mask.width, mask.height) != (source.width, source.height):
        raise _wrong(
            "maskImageId",
            f"A mask is of the source's size, {source.width} x {source.height}; this is {mask.width} x {mask.height}.",
        )


def _start_within(seconds: int | None) -> int | None:
    if seconds is not None and seconds < MIN_START_SECONDS:
        raise _wrong("startWithinSeconds", f"Give it at least {MIN_START_SECONDS} seconds.")
    return seconds


def _size(input: CreateGenerationInput, model: ModelRow, source: ImageRow | None) -> tuple[int, int]:
    width, height, ratio = given(input.width), given(input.height), given(input.aspect_ratio)
    if ratio is not None and (width is not None or height is not None):
        raise _wrong("aspectRatio", "Give `width` and `height`, or `aspectRatio`, not both.")
    if (width is None) != (height is None):
        raise _wrong("height" if height is None else "width", "Give both of `width` and `height`, or neither.")
    if ratio is not None:
        return sizes.by_ratio(model, ratio)
    if width is not None and height is not None:
        return sizes.exact(model, width, height)
    # The engine crops a source to the size: near its own shape little is lost.
    if source is not None and source.width and source.height:
        return sizes.like(model, source.width, source.height)
    return model.default_width, model.default_height


def _prompt(field: str, text: str, bounds: Bounds, *, required: bool = False, model: ModelRow | None = None) -> str:
    if model and not required and text.strip():
        raise _wrong(field, f"{model.name} takes no prompt; leave it empty.", "UNSUPPORTED_BY_MODEL")
    if required and not text.strip():
        raise _wrong(field, "Say what to draw.")
    return texts.text(text, bounds.max_prompt_characters, "input", field)


def _number(field: str, value: Any, least: float | None, most: float | None, default: Any) -> Any:
    """The value within its bounds, or the default when there is none."""
    if given(value) is None:
        return default
    if (least is not None and not least <= value) or (most is not None and not value <= most):
        raise _wrong(field, f"`{field}` is {least} to {most}.")
    return value
