"""What nodes have made, kept between prompts while there is room."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

_BUDGET_BYTES = 128_000_000
_ENTRY_BYTES = 10_000  # what an entry without pixels is counted as


@dataclass(frozen=True, slots=True)
class Made:
    """A node's outputs, and what it has to show."""

    values: tuple[Any, ...]
    shown: dict[str, Any] | None = None

    def size_bytes(self) -> int:
        """Roughly what it takes in memory."""
        pixels = [image for value in self.values if isinstance(value, tuple) for image in value]
        images = [image for image in pixels if isinstance(image, Image.Image)]
        return _ENTRY_BYTES + sum(image.width * image.height * len(image.getbands()) for image in images)


@dataclass(slots=True)
class Cache:
    """By signature; the longest unused go first."""

    made: OrderedDict[str, Made] = field(default_factory=OrderedDict)
    used_bytes: int = 0

    def get(self, signature: str) -> Made | None:
        """What was made before, if it is still here."""
        if signature in self.made:
            self.made.move_to_end(signature)
        return self.made.get(signature)

    def put(self, signature: str, made: Made) -> None:
        """Keep it, and let go of others when there is too much."""
        self.made[signature] = made
        self.used_bytes += made.size_bytes()
        while self.used_bytes > _BUDGET_BYTES and len(self.made) > 1:
            self.used_bytes -= self.made.popitem(last=False)[1].size_bytes()

    def clear(self) -> None:
        """Forget all."""
        self.made.clear()
        self.used_bytes = 0
