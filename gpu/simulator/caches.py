"""What nodes have made, kept for the prompts that follow."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Made:
    """A node's outputs, and what it has to show."""

    values: tuple[Any, ...]
    shown: dict[str, Any] | None = None


@dataclass(slots=True)
class Cache:
    """By signature."""

    made: dict[str, Made] = field(default_factory=dict)

    def get(self, signature: str) -> Made | None:
        """What was made before, if it is still here."""
        return self.made.get(signature)

    def put(self, signature: str, made: Made) -> None:
        """Keep it."""
        self.made[signature] = made

    def keep(self, signatures: Collection[str]) -> None:
        """Forget all others: as recorded, each node that a prompt runs drives out what that prompt has no use for."""
        self.made = {name: made for name, made in self.made.items() if name in signatures}

    def clear(self) -> None:
        """Forget all."""
        self.made.clear()
