"""What has happened, for tests that wait for an event instead of sleeping; and the pauses that wait for them."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

_KEPT = 10_000


@dataclass(slots=True)
class Journal:
    """Numbered events, oldest first, and who is paused."""

    events: list[dict[str, Any]] = field(default_factory=list)
    paused: dict[int, tuple[str, asyncio.Event]] = field(default_factory=dict)
    _written: asyncio.Event = field(default_factory=asyncio.Event)
    _count: int = 0

    def write(self, kind: str, **about: Any) -> int:
        """Note an event. Its number, from 1."""
        self._count += 1
        self.events.append({"seq": self._count, "kind": kind, "at": time.time(), **about})
        del self.events[:-_KEPT]
        self._written.set()
        self._written = asyncio.Event()
        return self._count

    async def after(self, seq: int, timeout_seconds: float, kind: str | None = None) -> list[dict[str, Any]]:
        """Events behind `seq` (of one kind); waits for the first of them, [] when none comes in time."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            written = self._written
            found = [event for event in self.events if event["seq"] > seq and kind in (None, event["kind"])]
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            try:
                await asyncio.wait_for(written.wait(), left)
            except TimeoutError:
                continue

    async def pause(self, name: str, **about: Any) -> None:
        """Stand still until released, by name or with all others."""
        released = asyncio.Event()
        seq = self.write("paused", name=name, **about)
        self.paused[seq] = (name, released)
        try:
            await released.wait()
        finally:
            self.paused.pop(seq, None)
        self.write("released", name=name, **about)

    def release(self, name: str | None = None) -> int:
        """Let those go on that are paused under this name, or all. How many there were."""
        chosen = [seq for seq, (held, _) in self.paused.items() if name in (None, held)]
        for seq in chosen:
            self.paused.pop(seq)[1].set()
        return len(chosen)
