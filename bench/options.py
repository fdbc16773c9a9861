"""What the command was told, for every section alike."""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured, where, and whom to tell how far it has come."""

    sections: Sequence[str]
    home: Path  # a folder for what is started; kept, where the reader named it
    quick: bool
    scales: Sequence[int]  # how many times the data, for what grows with it
    say: Callable[[str], None]


def machine() -> str:
    """What figures depend on beside the code."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
