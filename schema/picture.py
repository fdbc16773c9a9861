"""People, their generations and the images these made: each leads to the others, so they share a module."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, ClassVar

import strawberry
from strawberry import UNSET

from db.paging import Cursor, Order, Page
from db.tables import GenerationRow, ImageRow, ProfileRow
from schema.arguments import After, Before, First, Last
from schema.batch import BatchFacts
from schema.context import Info
from schema.enums import GenerationStatus, HeldReason, ThumbnailSize
from schema.estimate import remaining_seconds
from schema.facts import OfRow, columns
from schema.fields import computed, neighbour
from schema.generation import GenerationFacts
from schema.image import ImageFacts
from schema.model import Model
from schema.node import Node, PageInfo, global_id, page_request
from schema.tag import Tag
from storage.addresses import ImageAddresses

Size = Annotated[ThumbnailSize, strawberry.argument(description="How large.")]
Count = Callable[[], Awaitable[int]]


async def _nothing() -> int:
    return 0


@strawberry.type(description="A person, as everybody may see them.")
class Profile(OfRow, Node):
    FACTS: ClassVar = {
        "id": lambda row: global_id("Profile", row.id), **columns("username", "avatar_url", "created_at")
    }  # fmt: skip
    row: strawberry.Private[ProfileRow]
    username: str | None = strawberry.field(description="Unique; null until they choose one.")
    avatar_url: str | None = strawberry.field(description="The address of their picture.")
    created_at: datetime = strawberry.field(description="When they were first seen.")

    @computed("Their public images, newest first.")
    async def images(
        self, info: Info, first: First = UNSET, after: After = UNSET, last: Last = UNSET, before: Before = UNSET
    ) -> "ImageConnection":
        loaders = info.context.loaders
        request = page_request(info.context.bounds, first, after, last, before)
        page = await loaders.public_images.load((self.row.id, request))
        return ImageConnection.of(page, lambda: loaders.public_image_counts.load(self.row.id))

    @classmethod
    def of(cls, row: ProfileRow) -> "Profile":
        """The person that `row` holds."""
        return cls._told_by(row)


@strawberry.type(description="One request for pictures, from the queue to the result.")
class Generation(GenerationFacts):
    @computed(
        "1 and those expected to start before it, on the workers that can run its model; "
        "null unless QUEUED, and while PAUSED or NO_WORKER."
    )
    async def queue_position(self, info: Info) -> int | None:
        return await self.place_in_queue(info)

    @computed("Why it waits; null unless QUEUED and held.")
    async def held_reason(self, info: Info) -> HeldReason | None:
        place = await info.context.loaders.places.load(self.row.id) if self.is_queued else None
        return place.held_reason if place else None

    @computed("Seconds until completion, where it can be estimated.")
    async def eta_seconds(self, info: Info) -> float | None:
        if self.status == GenerationStatus.PROCESSING:
            return remaining_seconds(self.row, datetime.now(UTC))
        place = await info.context.loaders.places.load(self.row.id) if self.is_queued else None
        return place.eta_seconds if place else None

    model: Model = neighbour("What makes it.", "models", "row.model_id", Model.of)
    source_image: "Image | None" = neighbour(
        "The image that it starts from; null when there is none to see.",
        "images", "row.source_image_id", lambda row: Image.of(row),
    )  # fmt: skip
    retry_of: "Generation | None" = neighbour(
        "The one that this repeats at its owner's wish; null when that is deleted.",
        "generations", "row.retry_of", lambda row: Generation.of(row),
    )  # fmt: skip
    images: list["Image"] = neighbour(
        "What it made, in order; empty until COMPLETED.",
        "images_of_generation", "row.id", lambda rows: images_of(rows),
    )  # fmt: skip

    @computed("The batch that it is part of.")
    async def batch(self, info: Info) -> "Batch | None":
        part_of = self.row.batch_id
        found = await info.context.loaders.batches.load(part_of) if part_of else None
        return Batch.of(found) if found else None

    async def place_in_queue(self, info: Info) -> int | None:
        """Its position while it waits and may be taken."""
        place = await info.context.loaders.places.load(self.row.id) if self.is_queued else None
        return place.position if place else None

    @property
    def is_queued(self) -> bool:
        """Whether it waits, so that it has a place in the queue."""
        return self.status == GenerationStatus.QUEUED


@strawberry.type(description="2 to 10 generations that were asked for together.")
class Batch(BatchFacts):
    generations: list[Generation] = neighbour(
        "By their place in the batch; of a place the newest.",
        "generations_of_batch", "row_id", lambda rows: [Generation.of(row) for row in rows],
    )  # fmt: skip


@strawberry.type(description="A stored picture.")
class Image(ImageFacts):
    shown_at: strawberry.Private[ImageAddresses | None] = None  # once somebody has asked

    generation: Generation | None = neighbour(
        "The caller's own; null for others, and when it is deleted.", "generations", "row.generation_id", Generation.of
    )
    owner: Profile = neighbour("Whose it is.", "profiles", "row.user_id", Profile.of)
    model: Model | None = neighbour("What made it.", "models", "row.model_id", Model.of)
    tags: list[Tag] = neighbour("By name.", "tags_of_image", "row.id", lambda rows: [Tag.of(row) for row in rows])
    liked_by_me: bool = neighbour("Whether the caller is one of those who like it.", "liked", "row.id", bool)

    @computed("Public images: a stable address. Private ones: signed, the same one within a window.")
    def url(self, info: Info) -> str:
        return self.addresses(info).url("full")

    @computed("When url and thumbnailUrl stop working, 30 to 90 minutes ahead; null: not while it stays public.")
    def url_expires_at(self, info: Info) -> datetime | None:
        return self.addresses(info).expires_at

    @computed("A smaller one, for lists.")
    def thumbnail_url(self, info: Info, size: Size = ThumbnailSize.SMALL) -> str:
        return self.addresses(info).url(size.value)

    @computed("url, answered as a file to save, with a name made from the prompt.")
    def download_url(self, info: Info) -> str:
        return self.addresses(info).url("download")

    @computed("The owner's mark; false for anybody else.")
    def is_favorite(self, info: Info) -> bool:
        return self.row.is_favorite and self.row.user_id == info.context.claims.sub

    @computed("0 to 5 stars, null when not rated; the owner's, null for anybody else.")
    def rating(self, info: Info) -> int | None:
        return self.row.rating if self.row.user_id == info.context.claims.sub else None

    def addresses(self, info: Info) -> ImageAddresses:
        """Where it is shown: by its publication while everybody may see it, else signed."""
        if self.shown_at is None:
            publication_id = self.row.publication_id if self.row.is_shown else None
            self.shown_at = info.context.addresses.image(self.row.id, publication_id)
        return self.shown_at


def images_of(rows: Sequence[ImageRow]) -> list[Image]:
    """The images that these rows hold."""
    return [Image.of(row) for row in rows]


@strawberry.type(description="An image in a list.")
class ImageEdge:
    cursor: str = strawberry.field(description="Its place in the list.")
    node: Image = strawberry.field(description="The image.")


@strawberry.type(description="A page of images.")
class ImageConnection:
    count: strawberry.Private[Count]
    edges: list[ImageEdge] = strawberry.field(description="In the list's order.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")

    @computed("Of the whole list; counted only when asked for.")
    async def total_count(self) -> int:
        return await self.count()

    @classmethod
    def empty(cls) -> "ImageConnection":
        """A list of nothing."""
        return cls.of(Page((), has_next=False, has_previous=False), _nothing)

    @classmethod
    def of(cls, page: Page[ImageRow], count: Count, order: Order = "NEWEST") -> "ImageConnection":
        """A page of rows; `count` is asked only for `totalCount`."""
        places = [Cursor(row.created_at, row.id, order, row.like_count) for row in page.rows]
        edges = [ImageEdge(cursor=at.encode(), node=Image.of(row)) for at, row in zip(places, page.rows, strict=True)]
        return cls(edges=edges, page_info=PageInfo.of(page, [edge.cursor for edge in edges]), count=count)


@strawberry.type(description="A generation in a list.")
class GenerationEdge:
    cursor: str = strawberry.field(description="Its place in the list.")
    node: Generation = strawberry.field(description="The generation.")


@strawberry.type(description="A page of generations.")
class GenerationConnection:
    count: strawberry.Private[Count]
    edges: list[GenerationEdge] = strawberry.field(description="In the list's order.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")

    @computed("Of the whole list; counted only when asked for.")
    async def total_count(self) -> int:
        return await self.count()

    @classmethod
    def empty(cls) -> "GenerationConnection":
        """A list of nothing."""
        return cls.of(Page((), has_next=False, has_previous=False), _nothing)

    @classmethod
    def of(cls, page: Page[GenerationRow], count: Count) -> "GenerationConnection":
        """A page of rows; `count` is asked only for `totalCount`."""
        edges = [
            GenerationEdge(cursor=Cursor(row.created_at, row.id).encode(), node=Generation.of(row)) for row in page.rows
        ]
        return cls(edges=edges, page_info=PageInfo.of(page, [edge.cursor for edge in edges]), count=count)
