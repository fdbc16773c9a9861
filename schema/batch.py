"""A batch as its generations make it; what leads to them is in `schema.picture`."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from db.batches import Batch
from schema.enums import BatchStatus
from schema.node import Node, global_id


@strawberry.type(description="What the states of a batch's generations come to; of each place the newest counts.")
class BatchFacts(Node):
    row_id: strawberry.Private[UUID]
    name: str | None = strawberry.field(description="For people.")
    status: BatchStatus = strawberry.field(description="How far it is.")
    total_count: int = strawberry.field(description="Its places.")
    completed_count: int = strawberry.field(description="Of those, how many are COMPLETED.")
    failed_count: int = strawberry.field(description="Of those, how many are FAILED.")
    canceled_count: int = strawberry.field(description="Of those, how many are CANCELED.")
    progress: float = strawberry.field(description="0 to 1; what has ended, however, counts whole.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    completed_at: datetime | None = strawberry.field(description="When the last of it ended; null while it goes on.")

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """The batch as it was read."""
        return cls(
            id=global_id("Batch", batch.id),
            row_id=batch.id,
            name=batch.name,
            status=batch.status,
            total_count=batch.total_count,
            completed_count=batch.completed_count,
            failed_count=batch.failed_count,
            canceled_count=batch.canceled_count,
            progress=batch.progress,
            created_at=batch.created_at,
            completed_at=batch.completed_at,
        )
