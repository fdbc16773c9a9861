"""A real S3 server for tests: rclone, which checks signatures as S3 does."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from storage.config import S3Config

RCLONE = Path(sys.prefix) / "bin" / "rclone"
READY = re.compile(rb"Starting s3 server on \[?(http://[\d.:]+)")
START_SECONDS = 20
KEY_ID = "picture-tests"
SECRET = "a secret of the tests"


@asynccontextmanager
async def open_rclone(folder: Path, bucket: str = "pictures", prefix: str = "picture/") -> AsyncIterator[S3Config]:
    """A server of its own on a free port; buckets are folders of `folder`, objects their files."""
    (folder / bucket).mkdir(parents=True, exist_ok=True)
    flags = (
        "--addr",
        "127.0.0.1:0",
        "--auth-key",
        f"{KEY_ID},{SECRET}",
        "--config",
        "/dev/null",
        "--log-level",
        "INFO",
    )
    server = await asyncio.create_subprocess_exec(
        RCLONE, "serve", "s3", *flags, folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    assert server.stderr
    drained = None
    try:
        async with asyncio.timeout(START_SECONDS):
            endpoint = await _endpoint(server.stderr)
        drained = asyncio.create_task(_drain(server.stderr))  # a full pipe would stop the server
        yield S3Config(
            bucket=bucket,
            access_key_id=KEY_ID,
            secret_access_key=SECRET,
            endpoint=endpoint,
            region="us-east-1",
            prefix=prefix,
        )
    finally:
        server.kill()
        await server.wait()
        if drained:
            await drained


async def _endpoint(log: asyncio.StreamReader) -> str:
    said = b""
    async for line in log:
        said += line
        if found := READY.search(line):
            return found[1].decode().rstrip("/")
    raise AssertionError(f"rclone ended before it listened: {said.decode(errors='replace')}")


async def _drain(log: asyncio.StreamReader) -> None:
    while await log.read(65536):
        pass
