"""What is asked of a model, checked: every value is one that it takes."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import UUID

import orjson

from db.enums import GenerationMode
from db.tables import GenerationRow, ModelRow


@dataclass(frozen=True, slots=True)
class NewGeneration:
    """A checked request: every value is one that the model takes."""

    model: ModelRow
    prompt: str
    width: int
    height: int
    seed: int
    mode: GenerationMode = GenerationMode.TEXT_TO_IMAGE
    negative_prompt: str | None = None
    steps: int | None = None
    guidance: float | None = None
    image_count: int = 1
    source_image_id: UUID | None = None
    mask_image_id: UUID | None = None
    strength: float | None = None
    is_public: bool = False
    tags: tuple[str, ...] = ()
    start_within_seconds: float | None = None
    reuse: bool = False  # an earlier one that must come out the same is as good
    retry_of: UUID | None = None
    batch_id: UUID | None = None
    batch_index: int | None = None

    @classmethod
    def like(cls, row: GenerationRow, model: ModelRow) -> Self:
        """The same again, as a retry of `row` and in its place of the batch."""
        return cls(
            model=model,
            prompt=row.prompt,
            width=row.width,
            height=row.height,
            seed=row.seed,
            mode=row.mode,
            negative_prompt=row.negative_prompt,
            steps=row.steps,
            guidance=row.guidance_scale,
            image_count=row.image_count,
            source_image_id=row.source_image_id,
            mask_image_id=row.mask_image_id,
            strength=row.strength,
            is_public=row.is_public,
            tags=tuple(row.tags),
            start_within_seconds=(row.start_before - row.created_at).total_seconds() if row.start_before else None,
            retry_of=row.id,
            batch_id=row.batch_id,
            batch_index=row.batch_index,
        )

    def placed(self, batch_id: UUID, batch_index: int) -> Self:
        """The same in a place of a batch."""
        return replace(self, batch_id=batch_id, batch_index=batch_index)

    @property
    def expected_seconds(self) -> float:
        """GPU seconds that this is expected to take: what fair queueing counts in."""
        return (self.model.typical_seconds or self.model.expected_seconds) * self.image_count

    @property
    def columns(self) -> dict[str, Any]:
        """What its row says of it, by the columns' names."""
        return {
            "mode": self.mode,
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt,
            "width": self.width,
            "height": self.height,
            "steps": self.steps,
            "guidance_scale": self.guidance,
            "seed": self.seed,
            "image_count": self.image_count,
            "source_image_id": self.source_image_id,
            "mask_image_id": self.mask_image_id,
            "strength": self.strength,
            "is_public": self.is_public,
            "tags": list(self.tags),
            "retry_of": self.retry_of,
            "batch_id": self.batch_id,
            "batch_index": self.batch_index,
            "expected_seconds": self.expected_seconds,
        }

    @property
    def reuse_key(self) -> bytes | None:
        """A digest of all that decides what comes out; None where nobody knows what the model is made of."""
        if self.model.digest is None:
            return None
        decides = (
            self.model.id,
            self.model.digest,
            self.mode,
            self.prompt,
            self.negative_prompt,
            self.width,
            self.height,
            self.steps,
            self.guidance,
            self.seed,
            self.image_count,
            self.source_image_id,
            self.mask_image_id,
            self.strength,
        )
        return hashlib.sha256(orjson.dumps(decides, default=str)).digest()
