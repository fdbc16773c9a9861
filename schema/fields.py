"""Fields that a method answers, or a loader."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID

import strawberry

F = TypeVar("F", bound=Callable[..., Any])

LEAD = "lead"  # under which a field keeps its own


def computed(description: str) -> Callable[[F], F]:
    """Make a method a field. What `strawberry.field` says of itself leaves a method untyped."""
    decorate: Callable[[F], F] = strawberry.field(description=description)
    return decorate


@dataclass(frozen=True, slots=True)
class Lead:
    """The way from an object to its neighbour: what `make` makes of what a loader finds by a key of the object's."""

    loader: str
    key: Callable[[Any], UUID | None]
    make: Callable[[Any], Any]

    def follow(self, source: object, loaders: object) -> Any:
        """The neighbour; an awaitable of it where it has still to be read."""
        return getattr(loaders, self.loader).get(self.key(source), self.make)


def neighbour(description: str, loader: str, key: str, make: Callable[[Any], Any]) -> Any:
    """A field that leads to a neighbour, by one of `schema.context.Loaders` and an attribute of the object's.

    The executor has it read ahead, for all objects of a list at once.
    """
    lead = Lead(loader, attrgetter(key), make)

    def follow(self, info: strawberry.Info):  # type: ignore[no-untyped-def]
        return lead.follow(self, info.context.loaders)

    return strawberry.field(resolver=follow, description=description, metadata={LEAD: lead})
