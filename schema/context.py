"""What the resolvers of one operation work with."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from db import batches, galleries, likes, loaders, tags
from db.batches import Batch
from db.claims import ANONYMOUS, Claims
from db.counts import Counts
from db.database import Database
from db.galleries import OwnerPage
from db.known_models import KnownModels
from db.limits import Allowance
from db.paging import Page
from db.queue import Place, QueueRules
from db.tables import GenerationRow, ImageRow, ModelRow, ProfileRow, TagRow, TemplateRow, UploadRow
from schema.bounds import Bounds
from storage.addresses import Addresses
from storage.objects import Storage
from storage.puts import Puts
from tasks.events import Events
from tasks.hub import Hub
from tasks.publications import Publications
from tasks.queue import Queue

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class SharedLoader(DataLoader[K, T]):
    """One whose answers outlive who asked first.

    When a field fails, the executor cancels its neighbours, and who awaits a loader's future cancels it: for all who
    wait for the same key, elsewhere in the operation.
    """

    def load(self, key: K) -> Awaitable[T]:
        """What belongs to the key; to stop waiting is to stop one's own waiting."""
        return asyncio.shield(super().load(key))


class Loaders:
    """One statement for all that the fields of an operation ask for at once; each is made when it is first asked."""

    def __init__(self, context: "Context", *, cache: bool) -> None:
        self._context = context
        self._cache = cache

    @cached_property
    def models(self) -> DataLoader[UUID, ModelRow | None]:
        """By id."""
        return self._by_id(ModelRow)

    @cached_property
    def profiles(self) -> DataLoader[UUID, ProfileRow | None]:
        """By id."""
        return self._by_id(ProfileRow)

    @cached_property
    def generations(self) -> DataLoader[UUID, GenerationRow | None]:
        """By id."""
        return self._by_id(GenerationRow)

    @cached_property
    def images(self) -> DataLoader[UUID, ImageRow | None]:
        """By id."""
        return self._by_id(ImageRow)

    @cached_property
    def uploads(self) -> DataLoader[UUID, UploadRow | None]:
        """By id."""
        return self._by_id(UploadRow)

    @cached_property
    def images_of_generation(self) -> DataLoader[UUID, list[ImageRow]]:
        """By the generation's id."""
        return self._loader(loaders.images_by_generation)

    @cached_property
    def places(self) -> DataLoader[UUID, Place | None]:
        """By the generation's id."""
        return self._loader(loaders.places, self._context.rules)

    @cached_property
    def available(self) -> DataLoader[UUID, bool]:
        """By the model's id."""
        return self._loader(loaders.availability, self._context.rules)

    @cached_property
    def public_images(self) -> DataLoader[OwnerPage, Page[ImageRow]]:
        """By the owner's id and the page."""
        return self._loader(galleries.public_pages)

    @cached_property
    def public_image_counts(self) -> DataLoader[UUID, int]:
        """By the owner's id."""
        return self._loader(galleries.public_counts)

    @cached_property
    def batches(self) -> DataLoader[UUID, Batch | None]:
        """By id."""
        return self._loader(batches.of_ids)

    @cached_property
    def generations_of_batch(self) -> DataLoader[UUID, list[GenerationRow]]:
        """By the batch's id, in the order of their places."""
        return self._loader(batches.shown_of)

    @cached_property
    def tags(self) -> DataLoader[UUID, TagRow | None]:
        """By id."""
        return self._by_id(TagRow)

    @cached_property
    def templates(self) -> DataLoader[UUID, TemplateRow | None]:
        """By id."""
        return self._by_id(TemplateRow)

    @cached_property
    def tags_of_image(self) -> DataLoader[UUID, list[TagRow]]:
        """By the image's id."""
        return self._loader(tags.of_images)

    @cached_property
    def tag_counts(self) -> DataLoader[UUID, int]:
        """By the tag's id."""
        return self._loader(tags.counts)

    @cached_property
    def liked(self) -> DataLoader[UUID, bool]:
        """By the image's id."""
        return self._loader(likes.liked)

    def forget(self) -> None:
        """After a change: what an operation reads next it asks for again."""
        for made in vars(self).values():
            if isinstance(made, DataLoader):
                made.clear_all()

    def _loader(self, load: Callable[..., Awaitable[Sequence[T]]], *rules: object) -> DataLoader[Any, T]:
        """`load` is given the database, the claims, `rules` and the keys."""
        context = self._context
        return SharedLoader(lambda keys: load(context.db, context.claims, *rules, keys), cache=self._cache)

    def _by_id(self, table: type[Any]) -> DataLoader[UUID, Any]:
        return self._loader(loaders.by_id, table)


@dataclass
class Context:
    """Who asks, and what there is to answer with.

    Over HTTP one serves one operation and remembers what it has loaded. Over a WebSocket one serves
    every operation of the connection, for its whole life, and remembers nothing.
    """

    db: Database
    queue: Queue
    events: Events
    hub: Hub
    publications: Publications
    addresses: Addresses
    storage: Storage
    puts: Puts
    models: KnownModels
    allowance: Allowance
    rules: QueueRules
    bounds: Bounds
    counts: Counts
    revoke: Callable[[UUID], None]  # turn away, from now on, who has deleted their account
    claims: Claims = ANONYMOUS
    is_stream: bool = False
    tells_cost: bool = False  # the client has asked what its operations cost
    spend: Callable[[int], None] = lambda cost: None  # raises RateLimitError when the caller may not afford it now
    connection_params: dict[str, Any] | None = None  # set by the WebSocket's handler
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.loaders = Loaders(self, cache=not self.is_stream)


Send = Callable[[bytes], Awaitable[bool]]
# Sends a payload of the operation that runs in this task, as it is; false when nobody is there any more.
# None where only Strawberry can.
send_payload: ContextVar[Send | None] = ContextVar("send_payload", default=None)

Info = strawberry.Info[Context, None]
