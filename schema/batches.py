"""Lists of batches."""

from collections.abc import Awaitable, Callable

import strawberry

from db import batches
from db.paging import Cursor, Page
from schema.fields import computed
from schema.node import PageInfo
from schema.picture import Batch

Count = Callable[[], Awaitable[int]]


async def _nothing() -> int:
    return 0


@strawberry.type(description="A batch in a list.")
class BatchEdge:
    cursor: str = strawberry.field(description="Its place in the list.")
    node: Batch = strawberry.field(description="The batch.")


@strawberry.type(description="A page of batches.")
class BatchConnection:
    count: strawberry.Private[Count]
    edges: list[BatchEdge] = strawberry.field(description="In the list's order.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")

    @computed("Of the whole list; counted only when asked for.")
    async def total_count(self) -> int:
        return await self.count()

    @classmethod
    def empty(cls) -> "BatchConnection":
        """A list of nothing."""
        return cls.of(Page((), has_next=False, has_previous=False), _nothing)

    @classmethod
    def of(cls, page: Page[batches.Batch], count: Count) -> "BatchConnection":
        """A page of batches; `count` is asked only for `totalCount`."""
        edges = [
            BatchEdge(cursor=Cursor(batch.created_at, batch.id).encode(), node=Batch.of(batch)) for batch in page.rows
        ]
        return cls(edges=edges, page_info=PageInfo.of(page, [edge.cursor for edge in edges]), count=count)
