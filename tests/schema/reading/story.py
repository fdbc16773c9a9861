"""Who is in the story, what they want, and what has come of it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from schema.node import global_id
from tests.conftest import House
from tests.schema.reading.asking import Asker

# One at a time, so that the next are held; one template and two uploads, so that one more is refused.
SETTINGS = {"max_concurrent": 1, "max_templates": 1, "uploads_per_day": 2}
SD = {"model": "stable-diffusion-1.5", "width": 256, "height": 256, "steps": 4}
WANTED: dict[str, Any] = {
    "model": "sdxl",
    "prompt": "a red fox in the snow",
    "negativePrompt": "a dog",
    "width": 512,
    "height": 512,
    "steps": 4,
    "guidance": 6.5,
    "seed": 7,
    "imageCount": 2,
    "mode": "TEXT_TO_IMAGE",
    "isPublic": False,
    "tags": ["Fox", "snow"],
    "startWithinSeconds": 600,
}
WISHES = [
    {"prompt": "a fox at dawn", "negativePrompt": "night", "seed": 1},
    {"prompt": "a fox at dusk", "negativePrompt": "noon", "seed": 2},
]
NOWHERE = global_id("Image", uuid4())


@dataclass
class Story:
    """Who is there, and what has come of it: things as they were last seen, by a name."""

    house: House
    alice: Asker
    bob: Asker
    things: dict[str, Any] = field(default_factory=dict)

    def id(self, name: str) -> str:
        return str(self.things[name]["id"])

    async def ended(self, id: str) -> dict[str, Any]:
        """The generation at its end."""
        async for _ in self.alice.watch("generationEvents", id=id, progress=True, previews=True):
            pass
        return dict(await self.alice.ask("generation", id=id))

    async def made(self, **wanted: Any) -> dict[str, Any]:
        """A generation at its end."""
        return await self.ended((await self.alice.done("createGeneration", input={**SD, **wanted}))["id"])
