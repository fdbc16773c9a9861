"""What flows along the wires of a graph here, in place of tensors."""

from dataclasses import dataclass

from PIL import Image

Pixels = tuple[Image.Image, ...]


@dataclass(frozen=True, slots=True)
class Sketch:
    """All that decides how a picture looks; the batch's images differ by their index."""

    prompt: str
    seed: int
    width: int
    height: int
    source: Image.Image | None = None
    mask: Image.Image | None = None  # white where it is to be repainted
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Latent:
    """A batch of latents: nothing but its size until a sampler gives it a sketch."""

    width: int
    height: int
    batch: int = 1
    source: Image.Image | None = None
    mask: Image.Image | None = None
    sketch: Sketch | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """A model, text encoder, VAE or upscaler, known by its file."""

    name: str


@dataclass(frozen=True, slots=True)
class Conditioning:
    """A prompt after its encoding."""

    text: str


@dataclass(frozen=True, slots=True)
class Sigmas:
    """A noise schedule of so many steps."""

    steps: int
    denoise: float = 1.0


@dataclass(frozen=True, slots=True)
class Noise:
    """Where a custom sampler's randomness comes from."""

    seed: int


@dataclass(frozen=True, slots=True)
class Guider:
    """What a custom sampler is led by."""

    text: str
