"""The queue and the history. A heap of tuples like the real one, whose comparing of dicts is a fault to be kept."""

import asyncio
import heapq
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Item = tuple[float, str, dict[str, Any], dict[str, Any], list[str]]
Status = dict[str, Any]

MAXIMUM_HISTORY_SIZE = 10_000


@dataclass(slots=True)
class Prompts:
    """Waiting, running and ended prompts. `changed` is called at each put, take, end and delete."""

    changed: Callable[[], None]
    waiting: list[Item] = field(default_factory=list)
    running: list[Item] = field(default_factory=list)
    history: dict[str, dict[str, Any]] = field(default_factory=dict)
    number: float = 0
    filled: asyncio.Event = field(default_factory=asyncio.Event)

    def remaining(self) -> int:
        """Waiting and running."""
        return len(self.waiting) + len(self.running)

    def put(self, item: Item) -> None:
        """Queue it. TypeError for an id and number that both wait already: yet it is queued, and will run."""
        heapq.heappush(self.waiting, item)
        self.changed()
        self.filled.set()

    async def ready(self) -> Item:
        """The one that is next, as soon as one waits; it is not taken yet."""
        while not self.waiting:
            self.filled.clear()
            await self.filled.wait()
        return self.waiting[0]

    def take(self) -> Item:
        """The next one, which then counts as running. TypeError as above, and then whoever took is to die of it."""
        item = heapq.heappop(self.waiting)
        self.running.append(deepcopy(item))
        self.changed()
        return item

    def finish(self, item: Item, outcome: dict[str, Any] | None) -> None:
        """It has ended; its history appears in the same step. None leaves no history."""
        self.running.clear()
        if outcome is not None:
            while len(self.history) >= MAXIMUM_HISTORY_SIZE:
                self.history.pop(next(iter(self.history)))
            self.history.pop(item[1], None)
            self.history[item[1]] = {"prompt": list(item), **outcome}
        self.changed()

    def is_running(self, prompt_id: str) -> bool:
        """Whether it is the one that runs now."""
        return any(item[1] == prompt_id for item in self.running)

    def delete(self, prompt_id: str) -> bool:
        """Take one waiting copy out; False when none waits."""
        for place, item in enumerate(self.waiting):
            if item[1] == prompt_id:
                self.waiting.pop(place)
                heapq.heapify(self.waiting)
                self.changed()
                return True
        return False

    def clear(self) -> None:
        """Take all waiting ones out, everybody's."""
        self.waiting = []
        self.changed()

    def page(self, max_items: int | None, offset: int) -> dict[str, Any]:
        """The history from the `offset`-th oldest on; a negative offset means the last `max_items`."""
        if offset < 0 and max_items is not None:
            offset = max(len(self.history) - max_items, 0)
        chosen = list(self.history.items())[max(offset, 0) :]
        return dict(chosen[:max_items] if max_items is not None else chosen)
