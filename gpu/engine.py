"""What an engine says of a run, whichever engine it is: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Graph = Mapping[str, Any]
"""A bound workflow in API format: `{node id: {"class_type", "inputs", "_meta"}}`."""

STAGES = ("preparing", "loading_model", "sampling", "decoding", "storing")
"""In the order in which a run passes them."""


@dataclass(frozen=True, slots=True)
class Staged:
    """The run has come to another stage; a later one than any before."""

    stage: str


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far the whole run is, 0 to 1, never less than before; steps are the sampler's."""

    stage: str
    progress: float
    step: int | None = None
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class Previewed:
    """A small JPEG of the image in the making: at most 256 px and 24 kB."""

    jpeg: bytes


@dataclass(frozen=True, slots=True)
class OutputImage:
    """A file on the engine's side, by the name that the engine gave it."""

    filename: str
    subfolder: str
    type: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The run has ended well; at least one image, in the batch's order."""

    images: tuple[OutputImage, ...]


News = Staged | Progressed | Previewed | Finished


@dataclass(frozen=True, slots=True)
class EngineStats:
    """What an engine says of itself."""

    version: str
    device: str
    vram_total_bytes: int
    vram_free_bytes: int
