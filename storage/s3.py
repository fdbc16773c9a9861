"""Objects in an S3 bucket, through boto3: a blocking client, made once, used from threads of its own.

Works with AWS, Cloudflare R2, Supabase Storage, MinIO: addresses are path-style, and checksums
are sent only where S3 requires them, as since boto3 1.36 the others refuse its new ones.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from storage.config import S3Config
from storage.errors import (
    ObjectMissingError,
    RangeError,
    StorageError,
    StorageRefusedError,
    StorageUnavailableError,
)
from storage.keys import check, content_type_of
from storage.names import attachment
from storage.stored_object import Body, ByteRange, ObjectFacts, StoredObject

T = TypeVar("T")
DELETE_BATCH = 1000  # as many as DeleteObjects takes
MISSING = {"NoSuchKey", "NotFound", "404"}
REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity", "401", "403"}


@asynccontextmanager
async def open_bucket(config: S3Config) -> AsyncIterator["Bucket"]:
    """The bucket; at the end connections are closed, and what is under way ends in its thread."""
    executor = ThreadPoolExecutor(config.threads, thread_name_prefix="s3")
    loop = asyncio.get_running_loop()
    try:
        client = await loop.run_in_executor(executor, _client, config)  # reads 1 MB of JSON: 0.2 s
        yield Bucket(config, client, executor)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


class Bucket:
    """A storage in S3; reads any key, writes and deletes only below its prefix."""

    def __init__(self, config: S3Config, client: Any, executor: ThreadPoolExecutor) -> None:
        self.prefix = config.prefix
        self._name = config.bucket
        self._client = client
        self._executor = executor

    async def put(self, key: str, source: Path, content_type: str) -> None:
        """Send the file as one request, streamed; S3 shows an object whole or not at all."""
        await self._call(self._put, check(key, self.prefix), source, content_type)

    async def open(self, key: str, byte_range: ByteRange | None = None) -> StoredObject:
        """The object, its bytes still on the way. Raises ObjectMissingError, RangeError."""
        return await self._call(self._open, check(key), byte_range)

    async def facts(self, key: str) -> ObjectFacts:
        """What lies under the key. Raises ObjectMissingError."""
        answer = await self._call(partial(self._client.head_object, Bucket=self._name, Key=check(key)))
        return ObjectFacts(answer["ContentLength"], answer.get("ContentType", ""))

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove these, a thousand a request; missing ones are fine."""
        checked = [check(key, self.prefix) for key in keys]
        for first in range(0, len(checked), DELETE_BATCH):
            await self._call(self._delete, checked[first : first + DELETE_BATCH])

    async def signed_url(
        self, key: str, *, expires_seconds: float, download_name: str | None = None, content_type: str | None = None
    ) -> str | None:
        """A GET that anybody may do for that long; 0.2 ms, no request."""
        asked = {"Bucket": self._name, "Key": check(key), "ResponseContentType": content_type or content_type_of(key)}
        if download_name:
            asked["ResponseContentDisposition"] = attachment(download_name)
        address: str = self._client.generate_presigned_url("get_object", asked, ExpiresIn=max(1, int(expires_seconds)))
        return address

    async def signed_put(self, key: str, *, size: int, content_type: str, expires_seconds: float) -> str | None:
        """A PUT that anybody may do for that long, of exactly so many bytes and this type: both are signed headers."""
        asked = {
            "Bucket": self._name,
            "Key": check(key, self.prefix),
            "ContentType": content_type,
            "ContentLength": size,
        }
        address: str = self._client.generate_presigned_url("put_object", asked, ExpiresIn=max(1, int(expires_seconds)))
        return address

    async def list(self) -> AsyncIterator[str]:
        """Every key below the prefix, a page at a time."""
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=self.prefix))
        while (page := await self._call(next, pages, None)) is not None:
            for item in page.get("Contents", ()):
                yield item["Key"]

    async def ping(self) -> None:
        """Return when the bucket is there and we may use it."""
        await self._call(partial(self._client.head_bucket, Bucket=self._name))

    async def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, _call, function, *arguments)

    def _put(self, key: str, source: Path, content_type: str) -> None:
        with source.open("rb") as file:
            self._client.put_object(Bucket=self._name, Key=key, Body=file, ContentType=content_type)

    def _open(self, key: str, byte_range: ByteRange | None) -> StoredObject:
        asked = {"Range": _header(byte_range)} if byte_range else {}
        try:
            answer = self._client.get_object(Bucket=self._name, Key=key, **asked)
        except ClientError as error:
            if _code(error) in {"InvalidRange", "416"}:
                raise RangeError(self._client.head_object(Bucket=self._name, Key=key)["ContentLength"]) from error
            raise
        length: int = answer["ContentLength"]
        start, size = _part(answer.get("ContentRange"), length)
        body = TranslatedBody(answer["Body"])
        return StoredObject(size, answer["ETag"], answer["ContentType"], start, length, body, self._executor)

    def _delete(self, keys: Sequence[str]) -> None:
        """One request for all; one each where the storage does not know that, or says no to some."""
        try:
            wanted = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
            answer = self._client.delete_objects(Bucket=self._name, Delete=wanted)
            left = [error["Key"] for error in answer.get("Errors", ())]
        except ClientError as error:
            if _code(error) in REFUSED:
                raise
            left = list(keys)
        for key in left:
            self._client.delete_object(Bucket=self._name, Key=key)


class TranslatedBody:
    """The bytes of an answer, whose errors are ours."""

    def __init__(self, body: Body) -> None:
        self._body = body

    def read(self, amt: int, /) -> bytes:
        """The next bytes, at most `amt`."""
        with translated():
            return self._body.read(amt)

    def close(self) -> None:
        """Give the connection up, or back when all was read."""
        self._body.close()


@contextmanager
def translated() -> Iterator[None]:
    """Raise our errors for boto3's, with theirs as the cause."""
    try:
        yield
    except ClientError as error:
        raise _ours(error) from error
    except (BotoCoreError, HTTPError) as error:
        raise StorageUnavailableError from error


def _ours(error: ClientError) -> StorageError:
    code = _code(error)
    if code in MISSING:
        return ObjectMissingError()
    if code in REFUSED:
        return StorageRefusedError()
    if code == "NoSuchBucket":
        return StorageError("The storage has no such bucket.")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return StorageUnavailableError() if status >= 500 or status == 429 else StorageError()


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _call(function: Callable[..., T], *arguments: Any) -> T:
    with translated():
        return function(*arguments)


def _header(byte_range: ByteRange) -> str:
    first, last = byte_range
    return f"bytes={first}" if first < 0 else f"bytes={first}-{'' if last is None else last}"


def _part(content_range: str | None, length: int) -> tuple[int, int]:
    """Where the part begins, and the size of the whole: of `bytes 5-9/100`."""
    if content_range is None:
        return 0, length
    part, _, size = content_range.removeprefix("bytes ").partition("/")
    return int(part.partition("-")[0]), int(size)


def _client(config: S3Config) -> Any:
    return boto3.session.Session().client(
        "s3",
        endpoint_url=config.endpoint,
        region_name=config.region,
        aws_access_key_id=config.access_key_id,
        aws_secret_access_key=config.secret_access_key,
        config=Config(
            signature_version="s3v4",  # else addresses are signed with version 2 for some regions
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=config.connect_timeout_seconds,
            read_timeout=config.read_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": config.attempts},
            max_pool_connections=config.threads * 2,  # each of our threads, and objects that are being read slowly
        ),
    )
