"""Loaders: one question for all who ask at once, and nobody's to take back."""

import asyncio
from collections.abc import Sequence

from schema.context import SharedLoader


async def test_who_stops_waiting_does_not_stop_the_others() -> None:
    may_answer = asyncio.Event()

    async def load(keys: Sequence[int]) -> list[int]:
        await may_answer.wait()
        return [key * 2 for key in keys]

    loader: SharedLoader[int, int] = SharedLoader(load)

    async def ask() -> int:
        return await loader.load(21)

    first, second = asyncio.create_task(ask()), asyncio.create_task(ask())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    may_answer.set()
    assert (first.cancelled(), await second) == (True, 42)
