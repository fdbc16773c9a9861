"""A generation as its row tells it; what leads to its neighbours is in `schema.picture`."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Self

import strawberry

from db.tables import GenerationRow
from schema.enums import GenerationMode, GenerationStage, GenerationStatus
from schema.facts import Fact, OfRow, columns
from schema.failure import GenerationFailure
from schema.node import Node, global_id
from schema.scalars import BigInt

FACTS: Mapping[str, Fact] = {
    "id": lambda row: global_id("Generation", row.id),
    "stage": lambda row: row.stage if row.status is GenerationStatus.PROCESSING else None,
    "guidance": lambda row: row.guidance_scale,
    "seed": lambda row: BigInt(row.seed),
    "failure": lambda row: GenerationFailure.of(row) if row.status is GenerationStatus.FAILED else None,
    "cost": lambda row: row.cost_usd,
    "duration_seconds": lambda row: row.generation_time_seconds,
    **columns(
        "status", "progress", "prompt", "negative_prompt", "mode", "width", "height", "steps", "image_count",
        "strength", "attempt", "created_at", "started_at", "completed_at",
    ),
}  # fmt: skip


@strawberry.type(description="What a generation's own row tells.")
class GenerationFacts(OfRow, Node):
    FACTS: ClassVar = FACTS
    row: strawberry.Private[GenerationRow]
    status: GenerationStatus = strawberry.field(description="Where it stands.")
    stage: GenerationStage | None = strawberry.field(description="Set while status is PROCESSING.")
    progress: float = strawberry.field(description="0 to 1; 1 only when COMPLETED.")
    prompt: str = strawberry.field(description="What the pictures should show.")
    negative_prompt: str | None = strawberry.field(description="What they should not show.")
    mode: GenerationMode = strawberry.field(description="What is made of what.")
    width: int = strawberry.field(description="Of each image, in pixels.")
    height: int = strawberry.field(description="Of each image, in pixels.")
    steps: int | None = strawberry.field(description="How many sampling steps; null where the model has none.")
    guidance: float | None = strawberry.field(description="How closely the prompt is followed.")
    seed: BigInt = strawberry.field(description="The seed that was used; chosen at creation when the client gave none.")
    image_count: int = strawberry.field(description="How many images were asked for.")
    strength: float | None = strawberry.field(description="How far it moves from its source image, 0 to 1.")
    attempt: int = strawberry.field(description="1 is the first; 0 before any.")
    failure: GenerationFailure | None = strawberry.field(description="Why it FAILED.")
    cost: Decimal | None = strawberry.field(description="What it cost its operator, where that is known.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When its newest attempt began.")
    completed_at: datetime | None = strawberry.field(description="When it ended, however it ended.")
    duration_seconds: float | None = strawberry.field(description="How long the attempt that made it took.")

    @classmethod
    def of(cls, row: GenerationRow) -> Self:
        """The generation that `row` holds."""
        return cls._told_by(row)
