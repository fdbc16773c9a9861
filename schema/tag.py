"""A word that images carry."""

from typing import ClassVar, Self

import strawberry

from db.tables import TagRow
from schema.facts import OfRow, columns
from schema.fields import neighbour
from schema.node import Node, global_id


@strawberry.type(description="A word that images carry.")
class Tag(OfRow, Node):
    FACTS: ClassVar = {"id": lambda row: global_id("Tag", row.id), **columns("name", "color")}
    row: strawberry.Private[TagRow]
    name: str = strawberry.field(description="Unique; in lower case, without blanks around it.")
    color: str | None = strawberry.field(description="#RRGGBB")

    image_count: int = neighbour("Of the images that the caller may see.", "tag_counts", "row.id", int)

    @classmethod
    def of(cls, row: TagRow) -> Self:
        """The tag that `row` holds."""
        return cls._told_by(row)
