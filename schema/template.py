"""A prompt to begin with."""

from datetime import datetime

import strawberry

from db.tables import TemplateRow
from schema.node import Node, global_id


@strawberry.type(description="A prompt to begin with: one's own, or one that somebody has made public.")
class PromptTemplate(Node):
    name: str = strawberry.field(description="At most 100 characters.")
    prompt: str = strawberry.field(description="What to draw.")
    negative_prompt: str | None = strawberry.field(description="What it should not show.")
    category: str | None = strawberry.field(description="At most 50 characters; any that its owner likes.")
    is_public: bool = strawberry.field(description="Whether everybody may see it.")
    use_count: int = strawberry.field(
        description="How often it was used, as far as that was counted: what older deployments counted is kept, and "
        "nothing adds to it, as a generation does not say which template its prompt came from."
    )
    created_at: datetime = strawberry.field(description="When it was made.")

    @classmethod
    def of(cls, row: TemplateRow) -> "PromptTemplate":
        """The template that `row` holds."""
        return cls(
            id=global_id("PromptTemplate", row.id),
            name=row.name,
            prompt=row.prompt,
            negative_prompt=row.negative_prompt,
            category=row.category,
            is_public=row.is_public,
            use_count=row.use_count,
            created_at=row.created_at,
        )
