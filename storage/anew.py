"""A stranger's file made into a picture of ours, in a process of its own.

Decoders are where hostile files do their harm: the process has limits of memory, time and file size, a low priority,
and nothing of ours in its environment. Whatever becomes of it, we go on. It takes 0.2 s more than a thread would.
"""

import asyncio
import json
import math
import os
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.errors import (
    ImageFormatError,
    ImageInterruptedError,
    ImageLaboriousError,
    ImageTooLargeError,
    ImageUnreadableError,
    StorageError,
)
from storage.images import Rendered, render

HEAD_BYTES = 12
REFUSALS = {error.__name__: error for error in (ImageTooLargeError, ImageUnreadableError, ImageInterruptedError)}
BASE_BYTES = 256 * 2**20  # the interpreter and its libraries
PIXEL_BYTES = 48  # decoded, turned, converted and encoded: noise with alpha takes 40, a photo 10
PATIENCE = 6  # by the clock it may take so many times what it may take of a core: others work here, too
GRACE_SECONDS = 5.0  # beyond its time until we end it ourselves
NICENESS = 10
PASSED_ON = ("LD_LIBRARY_PATH", "PATH", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Making:
    """What a file is to become, and what that may take."""

    format: str = "webp"
    quality: int = 90
    max_pixels: int = 40_000_000
    seconds: float = 20  # of a core

    @property
    def memory_bytes(self) -> int:
        """All that the process may map."""
        return BASE_BYTES + PIXEL_BYTES * self.max_pixels


def kind_of(source: Path) -> str:
    """The format that the file's first bytes are of: png, jpeg or webp. Raises ImageFormatError for all else."""
    with source.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    raise ImageFormatError


async def make(source: Path, into: Path, making: Making) -> Rendered:
    """The picture as `render` makes it, of a file that nobody has looked at yet.

    Raises ImageFormatError, ImageTooLargeError, ImageUnreadableError, ImageLaboriousError; ImageInterruptedError when
    it was the end of the process; StorageError when there was no process, which is no fault of the file's.
    """
    kind_of(source)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", __name__, str(source), str(into), json.dumps(_told(making))),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
    )
    try:
        async with asyncio.timeout(making.seconds * PATIENCE + GRACE_SECONDS):
            said, _ = await process.communicate()
    except TimeoutError as error:
        raise ImageInterruptedError from error
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode == -signal.SIGXCPU:
        raise ImageLaboriousError
    if process.returncode:
        raise ImageInterruptedError if process.returncode < 0 else StorageError("Pictures cannot be made here.")
    return _answer(json.loads(said), into, making)


def _told(making: Making) -> list[str | float]:
    return [making.format, making.quality, making.max_pixels, making.seconds]


def _answer(answer: dict[str, Any], into: Path, making: Making) -> Rendered:
    if refused := answer.get("refused"):
        raise REFUSALS[refused]
    path = into / f"full.{making.format}"
    return Rendered(path, into / "medium.webp", into / "small.webp", making.format, **answer)


def _limit(making: Making) -> None:
    """What this process may take from now on. Some systems do not know all of these."""
    seconds, file_bytes = math.ceil(making.seconds), making.max_pixels * 8
    limits = {
        resource.RLIMIT_AS: (making.memory_bytes, making.memory_bytes),
        resource.RLIMIT_CPU: (seconds, seconds + 1),  # SIGXCPU at the first, SIGKILL at the second
        resource.RLIMIT_FSIZE: (file_bytes, file_bytes),
        resource.RLIMIT_CORE: (0, 0),
    }
    for name, values in limits.items():
        with suppress(ValueError, OSError):
            resource.setrlimit(name, values)
    signal.alarm(seconds * PATIENCE)
    os.nice(NICENESS)


def main(source: str, into: str, told: str) -> None:
    """What the process does: render, and say on standard output what came of it."""
    making = Making(*json.loads(told))
    _limit(making)
    try:
        made = render(
            Path(source), Path(into), format=making.format, quality=making.quality, max_pixels=making.max_pixels
        )
    except (ImageTooLargeError, ImageUnreadableError) as error:
        answer: dict[str, object] = {"refused": type(error).__name__}
    except Exception:  # noqa: BLE001  # it was read, and then its memory or its disk was used up
        answer = {"refused": ImageInterruptedError.__name__}
    else:
        facts = ("width", "height", "file_size", "blurhash")
        answer = {name: getattr(made, name) for name in facts}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
