"""Folders for what is under way."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

LEFT_SECONDS = 86_400  # what is this old was left by a process that died


@asynccontextmanager
async def scratch(parent: Path) -> AsyncIterator[Path]:
    """A folder of one attempt's own, gone afterwards."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=parent))
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, True)


def clear(parent: Path) -> None:
    """Remove what processes that died have left there."""
    for left in parent.iterdir() if parent.is_dir() else ():
        if left.stat().st_mtime < time.time() - LEFT_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
