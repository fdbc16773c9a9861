"""A person who uploads: what an app does, from createUpload to the end."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from tests.client import Client

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
