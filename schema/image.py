"""An image as its row tells it; what leads to its neighbours is in `schema.picture`."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Self

import strawberry

from db.tables import ImageRow
from schema.enums import ImageFormat
from schema.facts import Fact, OfRow, columns
from schema.node import Node, global_id
from schema.scalars import BigInt

FACTS: Mapping[str, Fact] = {
    "id": lambda row: global_id("Image", row.id),
    "format": lambda row: ImageFormat(row.format),
    "seed": lambda row: BigInt(row.seed) if row.seed is not None else None,
    **columns(
        "width", "height", "file_size", "blurhash", "prompt", "negative_prompt", "steps", "guidance", "is_public",
        "like_count", "created_at", "archived_at", "hidden_at",
    ),
}  # fmt: skip


@strawberry.type(description="What an image's own row tells.")
class ImageFacts(OfRow, Node):
    FACTS: ClassVar = FACTS
    row: strawberry.Private[ImageRow]
    width: int = strawberry.field(description="In pixels.")
    height: int = strawberry.field(description="In pixels.")
    format: ImageFormat = strawberry.field(description="How the picture behind `url` is encoded.")
    file_size: int = strawberry.field(description="In bytes, of the image behind `url`.")
    blurhash: str | None = strawberry.field(description="A blurhash.io placeholder.")
    prompt: str | None = strawberry.field(description="How it was made, for everybody who sees it; null for an upload.")
    negative_prompt: str | None = strawberry.field(description="What it should not show.")
    seed: BigInt | None = strawberry.field(description="The seed that was used.")
    steps: int | None = strawberry.field(description="How many sampling steps.")
    guidance: float | None = strawberry.field(description="How closely the prompt was followed.")
    is_public: bool = strawberry.field(description="Whether everybody may see it.")
    like_count: int = strawberry.field(description="How many people like it.")
    created_at: datetime = strawberry.field(description="When it was stored.")
    archived_at: datetime | None = strawberry.field(description="An archived image is seen by its owner only.")
    hidden_at: datetime | None = strawberry.field(
        description="Since when the operator keeps it from everybody but its owner, who cannot share it."
    )

    @classmethod
    def of(cls, row: ImageRow) -> Self:
        """The image that `row` holds."""
        return cls._told_by(row)
