"""Objects under keys: one protocol, kept in an S3 bucket or in a folder on disk."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from storage.config import FolderConfig, S3Config
from storage.folder import Folder
from storage.stored_object import ByteRange, ObjectFacts, StoredObject


class Storage(Protocol):
    """Where objects are kept. Every call may raise StorageUnavailableError or StorageRefusedError."""

    @property
    def prefix(self) -> str:
        """What every key of ours begins with: empty, or ending in a slash."""

    async def put(self, key: str, source: Path, content_type: str) -> None:
        """Store the file's bytes, whole or not at all; doing it again is fine. KeyRefusedError outside the prefix."""

    async def open(self, key: str, byte_range: ByteRange | None = None) -> StoredObject:
        """The object, ready to be read. Raises ObjectMissingError, RangeError."""

    async def facts(self, key: str) -> ObjectFacts:
        """What lies under the key, by its size and type. Raises ObjectMissingError."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove these; missing ones are fine. KeyRefusedError, before anything is done, outside the prefix."""

    async def signed_url(
        self, key: str, *, expires_seconds: float, download_name: str | None = None, content_type: str | None = None
    ) -> str | None:
        """An address of the storage's own that anybody may read for that long; None where we must serve it."""

    async def signed_put(self, key: str, *, size: int, content_type: str, expires_seconds: float) -> str | None:
        """An address of the storage's own that takes these many bytes of this type; None where we must take them."""

    def list(self) -> AsyncIterator[str]:
        """Every key below the prefix, in no promised order; for tests and for people, never for cleaning up."""

    async def ping(self) -> None:
        """Return when the storage answers and knows us."""


@asynccontextmanager
async def open_storage(config: S3Config | FolderConfig) -> AsyncIterator[Storage]:
    """The storage that `config` names; what it holds open is closed at the end."""
    if isinstance(config, FolderConfig):
        yield await Folder.open_root(config)
        return
    from storage.s3 import open_bucket  # boto3 takes half a second to import, which a folder need not wait for

    async with open_bucket(config) as bucket:
        yield bucket
