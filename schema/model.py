"""The catalogue's entries."""

from decimal import Decimal

import strawberry

from db.tables import ModelRow
from schema.context import Info
from schema.enums import ModelCapability, ModelProvider
from schema.fields import computed
from schema.node import Node, global_id


@strawberry.type(description="A way to make pictures: a ComfyUI workflow with its files, or a hosted API.")
class Model(Node):
    row: strawberry.Private[ModelRow]
    slug: str = strawberry.field(description='Stable and readable: "flux-schnell".')
    name: str = strawberry.field(description="For people.")
    description: str | None = strawberry.field(description="What it is good at.")
    provider: ModelProvider = strawberry.field(description="Who runs it.")
    version: str | None = strawberry.field(description="Of its files, as their publisher names it.")
    capabilities: list[ModelCapability] = strawberry.field(description="What it can do.")
    aspect_ratios: list[str] = strawberry.field(description='What `aspectRatio` may be: "16:9".')
    default_width: int = strawberry.field(description="In pixels, when the request names no size.")
    default_height: int = strawberry.field(description="In pixels, when the request names no size.")
    min_width: int = strawberry.field(description="In pixels.")
    min_height: int = strawberry.field(description="In pixels.")
    max_width: int = strawberry.field(description="In pixels.")
    max_height: int = strawberry.field(description="In pixels.")
    max_pixels: int = strawberry.field(description="Width times height.")
    max_image_count: int = strawberry.field(description="The most images of one request.")
    size_multiple: int = strawberry.field(description="Width and height are multiples of this.")
    default_steps: int | None = strawberry.field(description="Null where the model has no such setting.")
    min_steps: int | None = strawberry.field(description="The fewest; null where there is no such setting.")
    max_steps: int | None = strawberry.field(description="The most; null where there is no such setting.")
    default_guidance: float | None = strawberry.field(description="How closely to follow the prompt.")
    min_guidance: float | None = strawberry.field(description="The least; null where there is no such setting.")
    max_guidance: float | None = strawberry.field(description="The most; null where there is no such setting.")
    default_strength: float | None = strawberry.field(description="How far to move from a source image, 0 to 1.")
    licence: str | None = strawberry.field(description="Of its files.")
    cost_per_image: Decimal | None = strawberry.field(
        description="What one image costs its operator, where that is known."
    )
    typical_seconds: float | None = strawberry.field(
        description="Median seconds per generation over the last 100, null before the first."
    )
    is_active: bool = strawberry.field(description="Whether it is offered; old pictures name others too.")
    sort_order: int = strawberry.field(description="Its place in the list.")

    @computed("Whether a worker that is up can run it now.")
    async def is_available(self, info: Info) -> bool:
        return await info.context.loaders.available.load(self.row.id)

    @classmethod
    def of(cls, row: ModelRow) -> "Model":
        """The model that `row` holds."""
        return cls(
            id=global_id("Model", row.id),
            row=row,
            slug=row.slug,
            name=row.name,
            description=row.description,
            provider=ModelProvider(row.provider),
            version=row.version,
            capabilities=[ModelCapability(capability) for capability in row.capabilities],
            aspect_ratios=row.aspect_ratios,
            default_width=row.default_width,
            default_height=row.default_height,
            min_width=row.min_width,
            min_height=row.min_height,
            max_width=row.max_width,
            max_height=row.max_height,
            max_pixels=row.max_pixels,
            max_image_count=row.max_image_count,
            size_multiple=row.size_multiple,
            default_steps=row.default_steps,
            min_steps=row.min_steps,
            max_steps=row.max_steps,
            default_guidance=row.default_guidance,
            min_guidance=row.min_guidance,
            max_guidance=row.max_guidance,
            default_strength=row.default_strength,
            licence=row.licence,
            cost_per_image=row.cost_per_image,
            typical_seconds=row.typical_seconds,
            is_active=row.is_active,
            sort_order=row.sort_order,
        )
