"""Counts that are too large to be counted each time, remembered for a minute."""

import time
from collections import OrderedDict
from collections.abc import Hashable

EXACT_COUNT = 10_000  # up to here a count is always counted
FRESH_SECONDS = 55.0  # with what counting takes, within the minute that is promised
KEPT_COUNTS = 1000


class Counts:
    """What this process has counted lately; the longest unused goes when there are too many."""

    def __init__(self, *, fresh_seconds: float = FRESH_SECONDS, kept: int = KEPT_COUNTS) -> None:
        self._fresh_seconds = fresh_seconds
        self._kept = kept
        self._counted: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def get(self, key: Hashable) -> int | None:
        """The count, while it is fresh."""
        count, counted_at = self._counted.get(key, (0, float("-inf")))
        if time.monotonic() - counted_at > self._fresh_seconds:
            self._counted.pop(key, None)
            return None
        self._counted.move_to_end(key)
        return count

    def put(self, key: Hashable, count: int) -> None:
        """Remember what was counted just now, where it is too large to be counted each time."""
        if count > EXACT_COUNT:
            self._counted[key] = (count, time.monotonic())
            self._counted.move_to_end(key)
            if len(self._counted) > self._kept:
                self._counted.popitem(last=False)
