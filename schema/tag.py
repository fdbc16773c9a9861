"""A word that images carry."""

from typing import Self

import strawberry

from db.tables import TagRow
from schema.context import Info
from schema.fields import neighbour
from schema.node import Node, global_id


@strawberry.type(description="A word that images carry.")
class Tag(Node):
    row: strawberry.Private[TagRow]
    name: str = strawberry.field(description="Unique; in lower case, without blanks around it.")
    color: str | None = strawberry.field(description="#RRGGBB")

    @neighbour("Of the images that the caller may see.")
    def image_count(self, info: Info) -> int:
        return info.context.loaders.tag_counts.get(self.row.id, int)

    @classmethod
    def of(cls, row: TagRow) -> Self:
        """The tag that `row` holds."""
        return cls(id=global_id("Tag", row.id), row=row, name=row.name, color=row.color)
