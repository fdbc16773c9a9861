"""A generation as its row tells it; what leads to its neighbours is in `schema.picture`."""

from datetime import datetime
from decimal import Decimal
from typing import Self

import strawberry

from db.tables import GenerationRow
from schema.enums import GenerationMode, GenerationStage, GenerationStatus
from schema.failure import GenerationFailure
from schema.node import Node, global_id
from schema.scalars import BigInt


@strawberry.type(description="What a generation's own row tells.")
class GenerationFacts(Node):
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
        status = GenerationStatus(row.status)
        return cls(
            id=global_id("Generation", row.id),
            row=row,
            status=status,
            stage=GenerationStage(row.stage) if row.stage and status == GenerationStatus.PROCESSING else None,
            progress=row.progress,
            prompt=row.prompt,
            negative_prompt=row.negative_prompt,
            mode=GenerationMode(row.mode),
            width=row.width,
            height=row.height,
            steps=row.steps,
            guidance=row.guidance_scale,
            seed=BigInt(row.seed),
            image_count=row.image_count,
            strength=row.strength,
            attempt=row.attempt,
            failure=GenerationFailure.of(row) if status == GenerationStatus.FAILED else None,
            cost=row.cost_usd,
            created_at=row.created_at,
            started_at=row.started_at,
            completed_at=row.completed_at,
            duration_seconds=row.generation_time_seconds,
        )
