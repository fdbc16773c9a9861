"""People, their generations and the images these made: each leads to the others, so they share a module."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import strawberry
from strawberry import UNSET

from db.paging import Cursor, Page
from db.tables import GenerationRow, ImageRow, ProfileRow
from schema.arguments import After, Before, First, Last
from schema.context import Info
from schema.enums import GenerationMode, GenerationStage, GenerationStatus, HeldReason, ImageFormat, ThumbnailSize
from schema.estimate import remaining_seconds
from schema.failure import GenerationFailure
from schema.fields import computed
from schema.model import Model
from schema.node import Node, PageInfo, global_id, page_request
from schema.scalars import BigInt
from storage.addresses import ImageAddresses

Size = Annotated[ThumbnailSize, strawberry.argument(description="How large.")]
Count = Callable[[], Awaitable[int]]


async def _model(info: Info, row: GenerationRow | ImageRow) -> Model | None:
    model = await info.context.loaders.models.load(row.model_id) if row.model_id else None
    return Model.of(model) if model else None


async def _nothing() -> int:
    return 0


@strawberry.type(description="A person, as everybody may see them.")
class Profile(Node):
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
        return cls(
            id=global_id("Profile", row.id),
            row=row,
            username=row.username,
            avatar_url=row.avatar_url,
            created_at=row.created_at,
        )


@strawberry.type(description="One request for pictures, from the queue to the result.")
class Generation(Node):
    row: strawberry.Private[GenerationRow]
    status: GenerationStatus = strawberry.field(description="Where it stands.")
    stage: GenerationStage | None = strawberry.field(description="Set while status is PROCESSING.")
    progress: float = strawberry.field(description="0 to 1; 1 only when COMPLETED.")
    prompt: str = strawberry.field(description="What the pictures should show.")
    negative_prompt: str | None = strawberry.field(description="What they should not show.")
    mode: GenerationMode = strawberry.field(description="What is made of what.")
    width: int = strawberry.field(description="Of each image, in pixels.")
    height: int = strawberry.field(description="Of each image, in pixels.")
    steps: int | None = strawberry.field(description="How many sampling steps; null where the model has none.")
    guidance: float | None = strawberry.field(description="How closely the prompt is followed.")
    seed: BigInt = strawberry.field(description="The seed that was used; chosen at creation when the client gave none.")
    image_count: int = strawberry.field(description="How many images were asked for.")
    strength: float | None = strawberry.field(description="How far it moves from its source image, 0 to 1.")
    attempt: int = strawberry.field(description="1 is the first; 0 before any.")
    failure: GenerationFailure | None = strawberry.field(description="Why it FAILED.")
    cost: Decimal | None = strawberry.field(description="What it cost its operator, where that is known.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When its newest attempt began.")
    completed_at: datetime | None = strawberry.field(description="When it ended, however it ended.")
    duration_seconds: float | None = strawberry.field(description="How long the attempt that made it took.")

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

    @computed("What makes it.")
    async def model(self, info: Info) -> Model:
        model = await _model(info, self.row)
        assert model, "models are never deleted"
        return model

    @computed("The image that it starts from; null when there is none to see.")
    async def source_image(self, info: Info) -> "Image | None":
        source = self.row.source_image_id
        row = await info.context.loaders.images.load(source) if source else None
        return Image.of(row) if row else None

    @computed("The one that this repeats at its owner's wish; null when that is deleted.")
    async def retry_of(self, info: Info) -> "Generation | None":
        earlier = self.row.retry_of
        row = await info.context.loaders.generations.load(earlier) if earlier else None
        return Generation.of(row) if row else None

    @computed("What it made, in order; empty until COMPLETED.")
    async def images(self, info: Info) -> list["Image"]:
        return await self.stored_images(info)

    async def place_in_queue(self, info: Info) -> int | None:
        """Its position while it waits and may be taken."""
        place = await info.context.loaders.places.load(self.row.id) if self.is_queued else None
        return place.position if place else None

    async def stored_images(self, info: Info) -> list["Image"]:
        """Its images by their index."""
        return [Image.of(row) for row in await info.context.loaders.images_of_generation.load(self.row.id)]

    @property
    def is_queued(self) -> bool:
        """Whether it waits, so that it has a place in the queue."""
        return self.status == GenerationStatus.QUEUED

    @classmethod
    def of(cls, row: GenerationRow) -> "Generation":
        """The generation that `row` holds."""
        status = GenerationStatus(row.status)
        return cls(
            id=global_id("Generation", row.id),
            row=row,
            status=status,
            stage=GenerationStage(row.stage) if row.stage and status == GenerationStatus.PROCESSING else None,
            progress=row.progress,
            prompt=row.prompt,
            negative_prompt=row.negative_prompt,
            mode=GenerationMode(row.mode),
            width=row.width,
            height=row.height,
            steps=row.steps,
            guidance=row.guidance_scale,
            seed=BigInt(row.seed),
            image_count=row.image_count,
            strength=row.strength,
            attempt=row.attempt,
            failure=GenerationFailure.of(row) if status == GenerationStatus.FAILED else None,
            cost=row.cost_usd,
            created_at=row.created_at,
            started_at=row.started_at,
            completed_at=row.completed_at,
            duration_seconds=row.generation_time_seconds,
        )


@strawberry.type(description="A stored picture.")
class Image(Node):
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
    created_at: datetime = strawberry.field(description="When it was stored.")
    archived_at: datetime | None = strawberry.field(description="An archived image is seen by its owner only.")

    @computed("The caller's own; null for others, and when it is deleted.")
    async def generation(self, info: Info) -> Generation | None:
        made_by = self.row.generation_id
        row = await info.context.loaders.generations.load(made_by) if made_by else None
        return Generation.of(row) if row else None

    @computed("Whose it is.")
    async def owner(self, info: Info) -> Profile:
        row = await info.context.loaders.profiles.load(self.row.user_id)
        assert row, "an image goes with its owner"
        return Profile.of(row)

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

    @computed("What made it.")
    async def model(self, info: Info) -> Model | None:
        return await _model(info, self.row)

    @computed("The owner's mark; false for anybody else.")
    def is_favorite(self, info: Info) -> bool:
        return self.row.is_favorite and self.row.user_id == info.context.claims.sub

    @computed("0 to 5 stars, null when not rated; the owner's, null for anybody else.")
    def rating(self, info: Info) -> int | None:
        return self.row.rating if self.row.user_id == info.context.claims.sub else None

    def addresses(self, info: Info) -> ImageAddresses:
        """Where it is shown: by its publication while everybody may see it, else signed."""
        publication_id = self.row.publication_id if self.row.is_public and not self.row.archived_at else None
        return info.context.addresses.image(self.row.id, publication_id)

    @classmethod
    def of(cls, row: ImageRow) -> "Image":
        """The image that `row` holds."""
        return cls(
            id=global_id("Image", row.id),
            row=row,
            width=row.width,
            height=row.height,
            format=ImageFormat(row.format),
            file_size=row.file_size,
            blurhash=row.blurhash,
            prompt=row.prompt,
            negative_prompt=row.negative_prompt,
            seed=BigInt(row.seed) if row.seed is not None else None,
            steps=row.steps,
            guidance=row.guidance,
            is_public=row.is_public,
            created_at=row.created_at,
            archived_at=row.archived_at,
        )


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
    def of(cls, page: Page[ImageRow], count: Count) -> "ImageConnection":
        """A page of rows; `count` is asked only for `totalCount`."""
        edges = [ImageEdge(cursor=Cursor(row.created_at, row.id).encode(), node=Image.of(row)) for row in page.rows]
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
