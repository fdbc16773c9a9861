"""What the resolvers of one operation work with."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from db import galleries, loaders
from db.claims import ANONYMOUS, Claims
from db.database import Database
from db.galleries import OwnerPage
from db.limits import Allowance
from db.paging import Page
from db.queue import Place, QueueRules
from db.tables import GenerationRow, ImageRow, ModelRow, ProfileRow
from schema.bounds import Bounds
from storage.addresses import Addresses
from tasks.events import Events
from tasks.hub import Hub
from tasks.queue import Queue

K = TypeVar("K")
T = TypeVar("T")


class Loaders:
    """One statement for all that the fields of an operation ask for at once."""

    def __init__(self, context: "Context", *, cache: bool) -> None:
        def loader(batch: Callable[[Sequence[K]], Awaitable[Sequence[T]]]) -> DataLoader[K, T]:
            return DataLoader(batch, cache=cache)

        db = context.db

        def by_id(table: type[Any]) -> DataLoader[UUID, Any]:
            return loader(lambda ids: loaders.by_id(db, context.claims, table, ids))

        self.models: DataLoader[UUID, ModelRow | None] = by_id(ModelRow)
        self.profiles: DataLoader[UUID, ProfileRow | None] = by_id(ProfileRow)
        self.generations: DataLoader[UUID, GenerationRow | None] = by_id(GenerationRow)
        self.images: DataLoader[UUID, ImageRow | None] = by_id(ImageRow)
        self.images_of_generation: DataLoader[UUID, list[ImageRow]] = loader(
            lambda ids: loaders.images_by_generation(db, context.claims, ids)
        )
        self.places: DataLoader[UUID, Place | None] = loader(
            lambda ids: loaders.places(db, context.claims, context.rules, ids)
        )
        self.available: DataLoader[UUID, bool] = loader(
            lambda ids: loaders.availability(db, context.claims, context.rules, ids)
        )
        self.public_images: DataLoader[OwnerPage, Page[ImageRow]] = loader(
            lambda pages: galleries.public_pages(db, context.claims, pages)
        )
        self.public_image_counts: DataLoader[UUID, int] = loader(
            lambda owners: galleries.public_counts(db, context.claims, owners)
        )


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
    addresses: Addresses
    allowance: Allowance
    rules: QueueRules
    bounds: Bounds
    claims: Claims = ANONYMOUS
    is_stream: bool = False
    connection_params: dict[str, Any] | None = None  # set by the WebSocket's handler
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.loaders = Loaders(self, cache=not self.is_stream)


Info = strawberry.Info[Context, None]
