"""What subscriptions tell."""

from datetime import datetime

import strawberry

from schema.context import Info
from schema.enums import GenerationStage, HeldReason
from schema.failure import GenerationFailure
from schema.fields import computed, neighbour
from schema.picture import Generation, Image, images_of


@strawberry.interface(description="Something that happened to a generation.")
class GenerationEvent:
    cursor: str = strawberry.field(description="Where to resume: pass it as `after`.")
    at: datetime = strawberry.field(description="When it happened.")
    generation: Generation = strawberry.field(description="As it is now, never older than the event.")


@strawberry.type(description="How a generation stands when a stream starts.")
class GenerationSnapshot(GenerationEvent):
    pass


@strawberry.type(description="QUEUED, or queued again for another attempt.")
class GenerationQueued(GenerationEvent):
    @computed("1 is next; null while PAUSED or NO_WORKER.")
    async def queue_position(self, info: Info) -> int | None:
        return await self.generation.place_in_queue(info)


@strawberry.type(description="It moved in the queue, or why it waits changed; at most one in 2 s. Not replayed.")
class GenerationQueueMoved(GenerationEvent):
    queue_position: int | None = strawberry.field(description="1 is next; null while PAUSED or NO_WORKER.")
    held_reason: HeldReason | None = strawberry.field(description="Why it waits.")
    eta_seconds: float | None = strawberry.field(description="Until completion, where it can be estimated.")


@strawberry.type(description="An attempt began.")
class GenerationStarted(GenerationEvent):
    pass


@strawberry.type(description="At most four a second. Not replayed.")
class GenerationProgressed(GenerationEvent):
    stage: GenerationStage = strawberry.field(description="What it is doing.")
    progress: float = strawberry.field(description="0 to 1, over the whole attempt.")
    step: int | None = strawberry.field(description="The sampling step that is done, …")
    steps: int | None = strawberry.field(description="… of so many.")
    eta_seconds: float | None = strawberry.field(description="Until completion, where it can be estimated.")


@strawberry.type(
    description="The work so far, at most 256 px and 24 kB, at most two a second. Not replayed.",
)
class GenerationPreviewed(GenerationEvent):
    data_url: str = strawberry.field(description="data:image/jpeg;base64,…")


@strawberry.type(description="It was asked to stop.")
class GenerationCanceling(GenerationEvent):
    pass


@strawberry.type(description="Its images are there.")
class GenerationCompleted(GenerationEvent):
    images: list[Image] = neighbour("What it made, in order.", "images_of_generation", "generation.row.id", images_of)


@strawberry.type(description="An attempt failed.")
class GenerationFailed(GenerationEvent):
    failure: GenerationFailure = strawberry.field(description="Why.")
    will_retry: bool = strawberry.field(description="True when another attempt follows by itself.")


@strawberry.type(description="It was stopped.")
class GenerationCanceled(GenerationEvent):
    pass


EVENTS = (
    GenerationSnapshot,
    GenerationQueued,
    GenerationQueueMoved,
    GenerationStarted,
    GenerationProgressed,
    GenerationPreviewed,
    GenerationCanceling,
    GenerationCompleted,
    GenerationFailed,
    GenerationCanceled,
)
