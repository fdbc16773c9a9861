"""Fields that a method answers."""

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

F = TypeVar("F", bound=Callable[..., Any])

AHEAD = {"ahead": True}


def computed(description: str) -> Callable[[F], F]:
    """Make a method a field. What `strawberry.field` says of itself leaves a method untyped."""
    decorate: Callable[[F], F] = strawberry.field(description=description)
    return decorate


def neighbour(description: str) -> Callable[[F], F]:
    """The same, of a method that only asks a loader: what a list's objects lead to is read before they are answered.

    So it may be called once more than its field is asked for.
    """
    decorate: Callable[[F], F] = strawberry.field(description=description, metadata=AHEAD)
    return decorate
