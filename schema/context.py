"""What the resolvers of one operation work with."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from db import batches, galleries, likes, loaders, neighbours, tags
from db.batches import Batch
from db.claims import ANONYMOUS, Claims
from db.counts import Counts
from db.database import Database
from db.galleries import OwnerPage
from db.known_models import KnownModels
from db.limits import Allowance
from db.neighbours import Asked, Found
from db.paging import Page
from db.queue import Place, QueueRules
from db.tables import GenerationRow, ImageRow, ModelRow, ProfileRow, TagRow, TemplateRow, UploadRow
from schema.bounds import Bounds
from schema.loading import Loader, ModelLoader, Reader
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
    """What the fields of an operation reach their neighbours by; each is made when it is first asked."""

    def __init__(self, context: "Context", *, remembers: bool) -> None:
        self._context = context
        self.reader = Reader(self._read, remembers=remembers)

    @cached_property
    def models(self) -> Loader[ModelRow | None]:
        """By id."""
        return ModelLoader(self.reader, loaders.MODELS, self._context.models)

    @cached_property
    def profiles(self) -> Loader[ProfileRow | None]:
        """By id."""
        return Loader(self.reader, loaders.PROFILES)

    @cached_property
    def generations(self) -> Loader[GenerationRow | None]:
        """By id."""
        return Loader(self.reader, loaders.GENERATIONS)

    @cached_property
    def images(self) -> Loader[ImageRow | None]:
        """By id."""
        return Loader(self.reader, loaders.IMAGES)

    @cached_property
    def uploads(self) -> Loader[UploadRow | None]:
        """By id."""
        return Loader(self.reader, loaders.UPLOADS)

    @cached_property
    def tags(self) -> Loader[TagRow | None]:
        """By id."""
        return Loader(self.reader, loaders.TAGS)

    @cached_property
    def templates(self) -> Loader[TemplateRow | None]:
        """By id."""
        return Loader(self.reader, loaders.TEMPLATES)

    @cached_property
    def images_of_generation(self) -> Loader[Sequence[ImageRow]]:
        """By the generation's id."""
        return Loader(self.reader, loaders.IMAGES_OF_GENERATION)

    @cached_property
    def generations_of_batch(self) -> Loader[Sequence[GenerationRow]]:
        """By the batch's id, in the order of their places."""
        return Loader(self.reader, batches.GENERATIONS_OF_BATCH)

    @cached_property
    def tags_of_image(self) -> Loader[Sequence[TagRow]]:
        """By the image's id."""
        return Loader(self.reader, tags.OF_IMAGES)

    @cached_property
    def tag_counts(self) -> Loader[int]:
        """By the tag's id."""
        return Loader(self.reader, tags.COUNTS)

    @cached_property
    def liked(self) -> Loader[bool]:
        """By the image's id."""
        return Loader(self.reader, likes.LIKED)

    @cached_property
    def public_image_counts(self) -> Loader[int]:
        """By the owner's id."""
        return Loader(self.reader, galleries.PUBLIC_COUNTS)

    @cached_property
    def public_images(self) -> DataLoader[OwnerPage, Page[ImageRow]]:
        """By the owner's id and the page."""
        return self._loader(galleries.public_pages)

    @cached_property
    def places(self) -> DataLoader[UUID, Place | None]:
        """By the generation's id."""
        return self._loader(loaders.places, self._context.rules)

    @cached_property
    def available(self) -> DataLoader[UUID, bool]:
        """By the model's id."""
        return self._loader(loaders.availability, self._context.rules)

    @cached_property
    def batches(self) -> DataLoader[UUID, Batch | None]:
        """By id."""
        return self._loader(batches.of_ids)

    def forget(self) -> None:
        """After a change: what an operation reads next it asks for again."""
        self.reader.forget()
        for made in vars(self).values():
            if isinstance(made, DataLoader):
                made.clear_all()

    async def _read(self, asked: Asked) -> Found:
        """Models are few, and known for a moment; all else is read."""
        ids, others = asked.get(loaders.MODELS), {kind: keys for kind, keys in asked.items() if kind != loaders.MODELS}
        found = dict(await neighbours.read(self._context.db, self._context.claims, others)) if others else {}
        if ids:
            found[loaders.MODELS] = await self._context.models.of_ids(ids)
        return found

    def _loader(self, load: Callable[..., Awaitable[Sequence[T]]], *rules: object) -> DataLoader[Any, T]:
        """`load` is given the database, the claims, `rules` and the keys."""
        context = self._context
        remembers = self.reader.remembers
        return SharedLoader(lambda keys: load(context.db, context.claims, *rules, keys), cache=remembers)


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
    meter: Callable[[UUID | None, int], None] = lambda person, cost: None
    connection_params: dict[str, Any] | None = None  # set by the WebSocket's handler

    @cached_property
    def loaders(self) -> Loaders:
        """Made for who asks: they and this hold each other, which only the collector would end, or `forget`."""
        return Loaders(self, remembers=not self.is_stream)

    def spend(self, cost: int) -> None:
        """Count what is asked for. Raises RateLimitError when the caller may not afford it now."""
        self.meter(self.claims.sub, cost)

    def forget(self) -> None:
        """Let go of all that has been loaded, at the end of an operation."""
        if loaders := self.__dict__.pop("loaders", None):
            loaders.forget()


@dataclass(frozen=True, slots=True)
class Outlet:
    """Ways out for payloads of one operation, as they are."""

    send: Callable[[bytes], Awaitable[bool]]  # false: nobody is there any more
    send_now: Callable[[bytes], bool]  # false: it was not sent, and would have to wait for it if anybody is there


# That of the operation that runs in this task; None where only Strawberry can send.
outlet: ContextVar[Outlet | None] = ContextVar("outlet", default=None)

Info = strawberry.Info[Context, None]
