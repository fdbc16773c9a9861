"""Fields that a method answers."""

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

F = TypeVar("F", bound=Callable[..., Any])


def computed(description: str) -> Callable[[F], F]:
    """Make a method a field. What `strawberry.field` says of itself leaves a method untyped."""
    decorate: Callable[[F], F] = strawberry.field(description=description)
    return decorate
