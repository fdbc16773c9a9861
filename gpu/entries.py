"""The shape of the catalogue's TOML file."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

Mode = Literal["text_to_image", "image_to_image", "inpaint", "upscale"]
Ratio = Annotated[str, Field(pattern=r"^[1-9]\d{0,2}:[1-9]\d{0,2}$")]
Capability = Annotated[
    Literal["text_to_image", "negative_prompt", "seed", "image_to_image", "inpaint", "lora", "upscale", "vector"],
    BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
]


def _ordered(limits: Any) -> Any:
    if isinstance(limits, list | tuple) and len(limits) == 2 and limits[0] > limits[1]:
        raise ValueError("the first is greater than the second")
    return limits


Ints = Annotated[tuple[PositiveInt, PositiveInt], BeforeValidator(_ordered)]
Floats = Annotated[tuple[float, float], BeforeValidator(_ordered)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class File(_Strict):
    """A model file that an engine must have."""

    folder: str
    name: str
    gb: float | None = None
    only: Mode | None = None


class Memory(_Strict):
    """What it takes on the GPU, in GB: with everything resident, and with what can be moved out."""

    all: float
    least: float


class Values(_Strict):
    """Settings with a value."""

    width: PositiveInt | None = None
    height: PositiveInt | None = None
    steps: PositiveInt | None = None
    guidance: float | None = None
    strength: Annotated[float, Field(ge=0, le=1)] | None = None


class Fixed(_Strict):
    """Settings that are part of the model: shown, never filled."""

    steps: PositiveInt | None = None
    guidance: float | None = None


class Limits(_Strict):
    """What a request may ask for."""

    width: Ints
    height: Ints
    pixels: PositiveInt
    source_pixels: PositiveInt | None = None
    steps: Ints | None = None
    guidance: Floats | None = None
    image_count: Annotated[int, Field(ge=1, le=4)] = 1


class DeclaredModel(_Strict):
    """One `[[models]]`."""

    slug: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
    name: str
    description: str | None = None
    version: str | None = None
    licence: str | None = None
    gated: bool = False
    is_active: bool = True
    sort_order: int = 100
    vram_gb: Memory | None = None
    seconds: PositiveFloat
    cost: Decimal | None = None
    capabilities: tuple[Capability, ...] = ()
    aspect_ratios: str | tuple[Ratio, ...]
    native_pixels: PositiveInt
    size_multiple: PositiveInt
    workflows: Annotated[dict[Mode, str], Field(min_length=1)]
    defaults: Values = Values()
    fixed: Fixed = Fixed()
    limits: Limits
    files: tuple[File, ...] = ()


class Declared(_Strict):
    """The whole file."""

    version: Literal[1]
    ratios: dict[str, tuple[Ratio, ...]] = {}
    allow_nodes: tuple[str, ...] = ()
    models: tuple[DeclaredModel, ...]

    @model_validator(mode="after")
    def _has_models(self) -> "Declared":
        if not self.models:
            raise ValueError("no models")
        return self
