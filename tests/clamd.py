"""A real clamd for tests, with signatures of our own: two, which it learns in no time."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.storage.hostile import EICAR

CLAMD, SIGTOOL = shutil.which("clamd", path="/usr/sbin:/usr/bin:/usr/local/sbin"), shutil.which("sigtool")
MARK = b"a picture that nobody may have"
START_SECONDS = 20


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def open_clamd(folder: Path, port: int) -> AsyncIterator[str]:
    """Its address, while it runs. It knows EICAR, and MARK anywhere in a file."""
    assert CLAMD
    assert SIGTOOL
    database = folder / "db"
    database.mkdir(parents=True)
    (folder / "eicar.txt").write_bytes(EICAR)
    asked = (SIGTOOL, "--md5", folder / "eicar.txt")
    learning = await asyncio.create_subprocess_exec(*asked, stdout=asyncio.subprocess.PIPE)
    learnt, _ = await learning.communicate()
    (database / "t.hdb").write_bytes(learnt)
    (database / "t.ndb").write_text(f"Picture.Test:0:*:{MARK.hex()}\n")
    config = folder / "clamd.conf"
    wanted = (
        f"DatabaseDirectory {database}", f"TCPSocket {port}", "TCPAddr 127.0.0.1", "StreamMaxLength 60M",
        "Foreground yes", "User root",
    )  # fmt: skip
    config.write_text("\n".join(wanted) + "\n")
    server = await asyncio.create_subprocess_exec(
        CLAMD, "-c", config, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            await _until_it_answers(port)
        yield f"tcp://127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):
            server.kill()
        await server.wait()


async def _until_it_answers(port: int) -> None:
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"zPING\0")
            answer = await reader.read(5)
            writer.close()
            if answer == b"PONG\0":
                return
        await asyncio.sleep(0.05)
