"""A person who uploads: what an app does, from createUpload to the end."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import asyncpg

from picture.stores import storage_config
from storage.objects import open_storage
from tests.client import Client
from tests.conftest import House
from tests.storage import hostile

PNG = hostile.saved(hostile.small())

UPLOAD = """fragment U on Upload {
  id status url method headers { name value } expiresAt
  image { id url width height format fileSize blurhash prompt model { slug } generation { id } isPublic }
  error { __typename code message path } }"""
ERRORS = """errors { __typename code message path ... on RateLimitError { limit windowSeconds retryAfterSeconds }
  ... on QuotaExceededError { most: limit used } ... on NotFoundError { missingId } }"""
CREATE = (
    f"mutation($input: CreateUploadInput!) {{ createUpload(input: $input) {{ upload {{ ...U }} {ERRORS} }} }}{UPLOAD}"
)
COMPLETE = f"mutation($id: ID!) {{ completeUpload(id: $id) {{ upload {{ ...U }} {ERRORS} }} }}{UPLOAD}"
READ = f"query($id: ID!) {{ upload(id: $id) {{ ...U }} }}{UPLOAD}"
WATCH = f"subscription($id: ID!) {{ uploadUpdated(id: $id) {{ ...U }} }}{UPLOAD}"


@dataclass(frozen=True, slots=True)
class Uploader:
    """What one person does with uploads."""

    client: Client

    async def create(self, size: int, content_type: str = "image/png", filename: str = "holiday.png") -> dict[str, Any]:
        """The payload of createUpload."""
        asked = {"filename": filename, "contentType": content_type, "size": size}
        return dict((await self.client.query(CREATE, input=asked))["createUpload"])

    async def promised(self, data: bytes, content_type: str = "image/png") -> dict[str, Any]:
        """An upload for these bytes."""
        payload = await self.create(len(data), content_type)
        assert payload["errors"] == [], payload["errors"]
        return dict(payload["upload"])

    async def put(self, upload: Mapping[str, Any], data: bytes, **changes: str) -> int:
        """The status that the storage answers to the bytes; `changes` are headers, `url` or `method`."""
        url, method = changes.pop("url", upload["url"]), changes.pop("method", upload["method"])
        headers = {header["name"]: header["value"] for header in upload["headers"]} | changes
        async with self.client.http.request(method, url, data=data, headers=headers) as answer:
            await answer.read()
            return answer.status

    async def sent(self, data: bytes, content_type: str = "image/png") -> dict[str, Any]:
        """An upload whose bytes are there."""
        upload = await self.promised(data, content_type)
        assert await self.put(upload, data) == 200
        return upload

    async def complete(self, id: str) -> dict[str, Any]:
        """The payload of completeUpload."""
        return dict((await self.client.query(COMPLETE, id=id))["completeUpload"])

    async def read(self, id: str) -> dict[str, Any] | None:
        """The upload as it is now."""
        found: dict[str, Any] | None = (await self.client.query(READ, id=id))["upload"]
        return found

    async def watch(self, id: str) -> AsyncGenerator[dict[str, Any], None]:
        """The upload now, then each change, to its end. Raises RefusedError."""
        async with (
            self.client.socket() as socket,
            aclosing(socket.subscribe(WATCH, "uploadUpdated", {"id": id})) as changes,  # type: ignore[type-var]
        ):
            async for change in changes:
                yield change

    async def outcome(self, id: str, seconds: float = 30) -> dict[str, Any]:
        """What came of it; fails saying what was seen last."""
        seen: dict[str, Any] | None = None
        try:
            async with asyncio.timeout(seconds):
                async for change in self.watch(id):
                    seen = change
        except TimeoutError:
            raise AssertionError(f"{id} has not ended after {seconds} s; seen last: {seen}") from None
        assert seen is not None
        return seen

    async def upload(self, data: bytes, content_type: str = "image/png") -> dict[str, Any]:
        """The whole way, to its outcome."""
        upload = await self.sent(data, content_type)
        payload = await self.complete(upload["id"])
        assert payload["errors"] == [], payload["errors"]
        return await self.outcome(upload["id"])


async def start(house: House, **settings: Any) -> House:
    """An API and a scheduler with these settings."""
    house.settings = house.settings.model_copy(update=settings)
    await house.start_api()
    await house.start_scheduler()
    return house


async def select(house: House, statement: str) -> list[tuple[Any, ...]]:
    """What Postgres says, behind everybody's back."""
    connection = await asyncpg.connect(house.addresses.database_worker_url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def until_empty(house: House, statement: str, seconds: float = 20) -> None:
    """Return when the statement finds nothing any more."""
    deadline = time.monotonic() + seconds
    while found := await select(house, statement):
        assert time.monotonic() < deadline, f"still there: {found}"
        await asyncio.sleep(0.1)


async def stored_keys(house: House) -> list[str]:
    """All that lies in the storage."""
    async with open_storage(storage_config(house.settings)) as storage:
        return sorted([key async for key in storage.list()])


async def used(house: House) -> tuple[Any, ...]:
    """What alice has used: bytes stored, bytes promised, uploads today."""
    rows = await select(house, "select storage_bytes_used, upload_bytes, uploads_today from user_rate_limits")
    return rows[0]
