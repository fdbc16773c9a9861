"""What takes long and waits for nothing: beside the loop, in one thread.

A document of 2,000 tokens takes 60 ms to parse and validate, all of the schema 50 ms to tell. On the loop everybody
waits for that. In a thread the two take turns (`SWITCH_SECONDS`): whoever is served meanwhile waits for some of those,
and no more than one core is spent on it, however many ask.
"""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SWITCH_SECONDS = 0.0005  # ten times as often as Python's own

_thread = ThreadPoolExecutor(1, "beside")


async def beside(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `act` comes to; one at a time."""
    sys.setswitchinterval(SWITCH_SECONDS)
    return await asyncio.get_running_loop().run_in_executor(_thread, lambda: act(*args, **kwargs))
