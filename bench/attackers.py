"""Those who attack, in a process of their own: each with an address and an account, and the hostile set in turns.

`go` on standard input lets them, `stop` makes them wait; each `stop` is answered by a line of JSON with what they did.
"""

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_DNS, UUID, uuid5

import aiohttp
import orjson

from bench.workloads import token
from tests.client import Client
from tests.hostile.connections import STILL_OPEN
from tests.hostile.kinds import KINDS
from tests.hostile.scene import Scene

NICENESS = 19  # who measures comes first, where both share a core
SECONDS = 20  # of one attack
OF_VALUES = 600  # of the generated ones so many: else there would be hardly any other
Attack = tuple[str, Any]


@dataclass
class Attackers:
    """Some who attack at once, one request each at a time."""

    scenes: Sequence[Scene]
    go: asyncio.Event = field(default_factory=asyncio.Event)
    busy: int = 0
    done: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)
    slowest: tuple[float, str] = (0.0, "")

    async def attack(self, scene: Scene, attacks: Sequence[Attack]) -> None:
        """Send them in turns, for ever."""
        while True:
            for kind, each in attacks:
                await self.go.wait()
                self.busy += 1
                try:
                    await self._send(scene, kind, each)
                finally:
                    self.busy -= 1

    async def _send(self, scene: Scene, kind: str, each: Any) -> None:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(SECONDS):
                status = (await each.send(scene)).status
        except (aiohttp.ClientError, OSError, TimeoutError, AssertionError) as error:
            status = 0 if not isinstance(error, TimeoutError) else 599
        self.done[kind] += 1
        self.slowest = max(self.slowest, (time.perf_counter() - began, each.name))
        if status >= 500 and status != STILL_OPEN:  # as it is delivered, a body may take longer than the attack
            self.failed[f"{kind}: {each.name}"] = str(status)

    async def wait(self) -> dict[str, Any]:
        """Let those that are on their way end; what all have done since they were let."""
        self.go.clear()
        while self.busy:  # noqa: ASYNC110 - nothing here is measured
            await asyncio.sleep(0.02)
        told = {"done": dict(self.done), "failed": self.failed, "slowest": self.slowest}
        self.done, self.failed, self.slowest = Counter(), {}, (0.0, "")
        return told


async def main(url: str, count: int, theirs: str, published: str) -> None:
    """Attack when told to, until standard input ends."""
    os.nice(NICENESS)
    async with AsyncExitStack() as stack:
        scenes = []
        for number in range(count):
            own = f"127.0.0.{number + 2}" if sys.platform == "linux" else None
            connector = aiohttp.TCPConnector(local_addr=(own, 0) if own else None)
            timeout = aiohttp.ClientTimeout(SECONDS)
            http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, timeout=timeout))
            mallory = Client(http, url, token(uuid5(NAMESPACE_DNS, f"mallory {number}")))
            await mallory.query("{ viewer { email } }")
            scenes.append(Scene(Client(http, url), mallory, theirs, UUID(published), own))
        attackers = Attackers(scenes)
        running = [asyncio.create_task(attackers.attack(scene, shuffled(n))) for n, scene in enumerate(scenes)]
        print("ready", flush=True)
        reader = await _stdin()
        while line := await reader.readline():
            if line.strip() == b"go":
                attackers.go.set()
            else:
                print(orjson.dumps(await attackers.wait()).decode(), flush=True)
        for task in running:
            task.cancel()


def shuffled(seed: int) -> list[Attack]:
    """The set, in an order of its own for each."""
    chance = random.Random(seed)
    found = [(kind, each) for kind, module in KINDS.items() if kind != "values" for each in module.REQUESTS]
    found += [("values", each) for each in chance.sample(KINDS["values"].REQUESTS, OF_VALUES)]
    chance.shuffle(found)
    return found


async def _stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]))
