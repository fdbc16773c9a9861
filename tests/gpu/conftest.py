from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gpu.simulator import Engine, open_simulator


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """A simulated ComfyUI that takes no time."""
    async with open_simulator(folder=tmp_path / "comfyui") as engine:
        yield engine
