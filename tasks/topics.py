"""Small facts for whoever listens to a topic: hints to look again at a row, which may be lost."""

import asyncio
from collections import deque
from typing import Any

import orjson

PUBLISHED = "published"  # {"image": id} or {"generation": id}: everybody may see it, or what it made, from now on


def channel(namespace: str, topic: str) -> str:
    """Where the facts of one topic go out."""
    return f"{namespace}:topic:{topic}"


def encode(fact: dict[str, Any]) -> bytes:
    """One fact as it goes out."""
    return orjson.dumps(fact, default=str)


def decode(message: bytes) -> dict[str, Any]:
    """What one message says. Raises TypeError or ValueError when it is no fact."""
    fact = orjson.loads(message)
    if not isinstance(fact, dict):
        raise TypeError("A fact is an object.")
    return fact


class Topic:
    """One listener's end of a topic. However slow it is, what waits is bounded: the oldest facts go first."""

    def __init__(self, capacity: int, silence_seconds: float) -> None:
        self._facts: deque[dict[str, Any]] = deque(maxlen=capacity)
        self._silence_seconds = silence_seconds
        self._is_behind = False
        self._awake = asyncio.Event()

    def begin(self) -> None:
        """What comes next is the listener's first look, and sees all until now."""
        self._is_behind = False

    def fall_behind(self) -> None:
        """Something may have been missed: have the listener look at the row."""
        self._is_behind = True
        self._awake.set()

    def hear(self, fact: dict[str, Any]) -> None:
        """Take in what came over Redis."""
        self._facts.append(fact)
        self._awake.set()

    def rest(self) -> list[dict[str, Any]]:
        """All other facts that wait."""
        facts = list(self._facts)
        self._facts.clear()
        return facts

    async def next(self) -> dict[str, Any] | None:
        """The next fact; None after a silence, or when one may have been missed: look again at the row."""
        if not self._facts and not self._is_behind:
            self._awake.clear()
            try:
                async with asyncio.timeout(self._silence_seconds):
                    await self._awake.wait()
            except TimeoutError:
                return None
        if self._is_behind:
            self._is_behind = False
            return None
        return self._facts.popleft()
