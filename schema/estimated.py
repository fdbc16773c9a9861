"""What would come of a request."""

from decimal import Decimal

import strawberry

from schema.enums import HeldReason
from schema.errors import UserError


@strawberry.type(description="What createGeneration would do with the same input now; nothing is written.")
class GenerationEstimate:
    errors: list[UserError] = strawberry.field(description="Empty when it would be accepted.", default_factory=list)
    width: int | None = strawberry.field(description="Of each image, in pixels.", default=None)
    height: int | None = strawberry.field(description="Of each image, in pixels.", default=None)
    cost: Decimal | None = strawberry.field(
        description="What it costs its operator, where that is known; nothing for what is reused.", default=None
    )
    queue_position: int | None = strawberry.field(description="Where it would stand; 1 is next.", default=None)
    held_reason: HeldReason | None = strawberry.field(description="Why it would wait.", default=None)
    eta_seconds: float | None = strawberry.field(
        description="Until completion, where it can be estimated: as likely as not …", default=None
    )
    eta_seconds_p90: float | None = strawberry.field(
        description="… and nine times in ten, by how the model's last 100 have spread; null before the first.",
        name="etaSecondsP90",
        default=None,
    )
