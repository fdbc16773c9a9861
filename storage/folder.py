"""Objects as files of one folder: for a machine without S3.

Each object is one file, named by its whole key with the slashes escaped, so that no key can
name a path; the files of an attempt share one of 4,096 folders, which keeps listings short for
tens of millions. A write is a file of `tmp/`, synced and renamed: whole, or not there.
"""

import asyncio
import hashlib
import itertools
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote
from uuid import uuid4

from storage.config import FolderConfig
from storage.errors import KeyRefusedError, ObjectMissingError, StorageError
from storage.keys import check, content_type_of
from storage.stored_object import ByteRange, ObjectFacts, StoredObject, span

MAX_NAME_BYTES = 240  # of the 255 that file systems allow; the note's suffix needs some
NOTE = "+type"  # a note with the content type, where the extension does not say it; quote() never yields a plus
ABANDONED_SECONDS = 86400  # a temporary file this old was left by a process that died
LIST_BATCH = 1000


class Folder:
    """A storage on disk; several processes may use one at the same time."""

    def __init__(self, config: FolderConfig) -> None:
        self.prefix = config.prefix
        self._root = config.root
        self._tmp = config.root / "tmp"

    @classmethod
    async def open_root(cls, config: FolderConfig) -> "Folder":
        """The folder, made where it is missing. Raises StorageError when it cannot be written to."""
        folder = cls(config)
        await folder.ping()
        await asyncio.to_thread(folder._sweep)
        return folder

    async def put(self, key: str, source: Path, content_type: str) -> None:
        """Copy the file to the disk's own keeping before it is seen under `key`."""
        await asyncio.to_thread(self._put, self._path(check(key, self.prefix)), source, content_type)

    async def open(self, key: str, byte_range: ByteRange | None = None) -> StoredObject:
        """The object, positioned at its part. Raises ObjectMissingError, RangeError."""
        return await asyncio.to_thread(self._open, self._path(check(key)), byte_range)

    async def receive(self, key: str, chunks: AsyncIterator[bytes], content_type: str) -> None:
        """Write what comes to the disk, seen under `key` once all of it is there; nothing stays if `chunks` raises."""
        path, left = self._path(check(key, self.prefix)), self._tmp / uuid4().hex
        try:
            with await asyncio.to_thread(left.open, "wb") as file:
                async for chunk in chunks:
                    await asyncio.to_thread(file.write, chunk)
            await asyncio.to_thread(self._take_in, path, left, content_type)
        except OSError as error:
            raise StorageError("The picture could not be written to disk.") from error
        finally:
            left.unlink(missing_ok=True)

    async def facts(self, key: str) -> ObjectFacts:
        """What lies under the key. Raises ObjectMissingError."""
        return await asyncio.to_thread(self._facts, self._path(check(key)))

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove these; missing ones are fine."""
        paths = [self._path(check(key, self.prefix)) for key in keys]
        await asyncio.to_thread(self._delete, paths)

    async def signed_url(
        self, key: str, *, expires_seconds: float, download_name: str | None = None, content_type: str | None = None
    ) -> str | None:
        """None: a folder has no address of its own."""
        return None

    async def signed_put(self, key: str, *, size: int, content_type: str, expires_seconds: float) -> str | None:
        """None: what is sent here comes to us."""
        return None

    async def list(self) -> AsyncIterator[str]:
        """Every key below the prefix."""
        found = self._keys()
        while batch := await asyncio.to_thread(lambda: tuple(itertools.islice(found, LIST_BATCH))):
            for key in batch:
                yield key

    async def ping(self) -> None:
        """Return when the folder can be written to."""
        await asyncio.to_thread(self._probe)

    def _path(self, key: str) -> Path:
        name = quote(key, safe="")
        if len(name) > MAX_NAME_BYTES:
            raise KeyRefusedError("This key is too long for a folder on disk.")
        shard = hashlib.sha256(key.rpartition("/")[0].encode()).hexdigest()[:3]
        return self._root / shard / name

    def _probe(self) -> None:
        try:
            self._tmp.mkdir(parents=True, exist_ok=True)
            probe = self._tmp / uuid4().hex
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise StorageError("The folder for pictures cannot be written to.") from error

    def _sweep(self) -> None:
        """Remove the temporary files of processes that died."""
        for left in self._tmp.iterdir():
            with suppress(FileNotFoundError):
                if left.stat().st_mtime < time.time() - ABANDONED_SECONDS:
                    left.unlink()

    def _put(self, path: Path, source: Path, content_type: str) -> None:
        try:
            copy = self._tmp / uuid4().hex
            shutil.copyfile(source, copy)
            self._take_in(path, copy, content_type)
        except OSError as error:
            raise StorageError("The picture could not be written to disk.") from error

    def _take_in(self, path: Path, written: Path, content_type: str) -> None:
        """Make a temporary file the object under `path`, and note its type where the key does not say it."""
        note = path.with_name(path.name + NOTE)
        if not path.parent.is_dir():
            path.parent.mkdir(exist_ok=True)
            _sync(self._root)
        if content_type == content_type_of(unquote(path.name)):
            note.unlink(missing_ok=True)
        else:
            told = self._tmp / uuid4().hex
            told.write_text(content_type)
            self._publish(told, note)
        self._publish(written, path)

    def _facts(self, path: Path) -> ObjectFacts:
        try:
            return ObjectFacts(path.stat().st_size, _content_type(path))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ObjectMissingError from error
        except OSError as error:
            raise StorageError("The folder for pictures cannot be read.") from error

    def _publish(self, written: Path, path: Path) -> None:
        """Make a temporary file the one under `path`, also for a machine that loses its power now."""
        try:
            _sync(written)
            written.replace(path)
        except OSError:
            written.unlink(missing_ok=True)
            raise
        _sync(path.parent)

    def _open(self, path: Path, byte_range: ByteRange | None) -> StoredObject:
        try:
            file = path.open("rb", buffering=0)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ObjectMissingError from error
        try:
            facts = os.fstat(file.fileno())
            start, length = span(byte_range, facts.st_size)
            file.seek(start)
        except (OSError, StorageError):
            file.close()
            raise
        etag = f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"'  # files are only ever replaced whole
        return StoredObject(facts.st_size, etag, _content_type(path), start, length, file)

    def _delete(self, paths: Sequence[Path]) -> None:
        try:
            for path in paths:
                path.unlink(missing_ok=True)
                path.with_name(path.name + NOTE).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError("A picture could not be removed from disk.") from error

    def _keys(self) -> Iterator[str]:
        for shard in self._root.iterdir():
            if shard != self._tmp and shard.is_dir():
                with os.scandir(shard) as entries:
                    names = [entry.name for entry in entries if not entry.name.endswith(NOTE)]
                yield from (key for key in map(unquote, names) if key.startswith(self.prefix))


def _content_type(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.with_name(path.name + NOTE).read_text()
    return content_type_of(unquote(path.name))


def _sync(path: Path) -> None:
    """Have the disk keep a file's bytes, or a folder's names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
