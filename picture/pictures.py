"""Pictures over HTTP: public ones from here, for a CDN to keep; private ones behind a signature.

Nothing of the database is held while bytes flow. What lies under a key never changes, so that the key alone
makes a strong ETag, and a client that has the picture is told so without asking the storage.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from db import images
from db.claims import ANONYMOUS
from db.database import Database, is_away
from db.images import StoredImage
from picture.conditions import byte_range, is_fresh
from storage.addresses import DOWNLOAD, VARIANTS, Addresses
from storage.errors import (
    AddressError,
    AddressExpiredError,
    KeyRefusedError,
    ObjectMissingError,
    RangeError,
    StorageError,
)
from storage.keys import CONTENT_TYPES, Variant, content_type_of, extension_of
from storage.names import attachment, download_name
from storage.objects import Storage
from storage.stored_object import StoredObject

log = structlog.get_logger(__name__)

LIFETIME_SECONDS = 900  # of one answer: a client that does not read must not hold a connection of the storage's
MARGIN_SECONDS = 30  # that the storage's address outlives the redirect, which may be followed from a cache
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",  # an SVG may hold scripts
    "Cross-Origin-Resource-Policy": "cross-origin",
}
TYPES = frozenset(CONTENT_TYPES.values())
Note = Callable[[UUID], None]


class MissingError(Exception):
    """There is no such picture."""


@dataclass(frozen=True, slots=True)
class Found:
    """A picture that the address gives a right to."""

    key: str
    name: str | None  # under which it is to be saved, not shown
    cache_control: str
    left_seconds: float | None  # None: it is public
    image_id: UUID


class ObjectResponse(StreamingResponse):
    """An object's bytes; it is closed however the answer ends."""

    def __init__(
        self, found: StoredObject, status_code: int, headers: dict[str, str], done: Callable[[], None] | None
    ) -> None:
        super().__init__(_noted(found.chunks(), done), status_code, headers)
        self._found = found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, within its lifetime; where that fails the connection ends, and the client sees that bytes lack."""
        try:
            async with asyncio.timeout(LIFETIME_SECONDS):
                await super().__call__(scope, receive, send)
        except (StorageError, TimeoutError) as error:
            log.warning("picture_cut_short", path=scope["path"], error=type(error).__name__)
        finally:
            self._found.close()


def routes(
    db: Database,
    storage: Storage,
    addresses: Addresses,
    note: Note,
    public_cache_seconds: int = 3600,
    redirect_seconds: int = 300,
) -> list[BaseRoute]:
    """`/i/{id}/{variant}`: a publication's picture, or with a signature anybody's; `note` is told of each download."""
    pictures = Pictures(db, storage, addresses, note, public_cache_seconds, redirect_seconds)
    return [Route("/i/{id}/{variant}", pictures.answer, methods=["GET"])]  # HEAD comes with it


class Pictures:
    """Answers for every picture there is."""

    def __init__(
        self,
        db: Database,
        storage: Storage,
        addresses: Addresses,
        note: Note,
        public_cache_seconds: int,
        redirect_seconds: int,
    ) -> None:
        self._db = db
        self._storage = storage
        self._addresses = addresses
        self._note = note
        self._public_cache_seconds = public_cache_seconds
        self._redirect_seconds = redirect_seconds

    async def answer(self, request: Request) -> Response:
        """The picture, or one sentence that says why not."""
        try:
            return await self._serve(request, await self._find(request))
        except (MissingError, ObjectMissingError, KeyRefusedError):
            return _sentence(404, "There is no such picture.")
        except AddressExpiredError as error:
            return _sentence(410, str(error))
        except AddressError as error:
            return _sentence(403, str(error))
        except RangeError as error:
            return _sentence(416, str(error), {"Content-Range": f"bytes */{error.size}"})
        except Exception as error:
            if not (isinstance(error, StorageError) or is_away(error)):
                raise
            log.warning("picture_unavailable", error=f"{type(error).__name__}: {error}")
            return _sentence(503, "Pictures cannot be read just now; try again in a moment.", {"Retry-After": "2"})

    async def _find(self, request: Request) -> Found:
        """What the address stands for. Raises MissingError, AddressError."""
        id, variant = _id(request.path_params["id"]), request.path_params["variant"]
        if variant not in VARIANTS:
            raise MissingError
        until, signature = request.query_params.get("until"), request.query_params.get("signature")
        if until is None and signature is None:
            async with self._db.as_user(ANONYMOUS) as session:
                image = await images.published(session, id)
            return _found(image, variant, f"public, max-age={self._public_cache_seconds}", None)
        left_seconds = self._addresses.verify(id, variant, until or "", signature or "")
        async with self._db.as_user(ANONYMOUS) as session:
            image = await images.owned_object(session, id)
        return _found(image, variant, f"private, max-age={int(left_seconds)}", left_seconds)

    async def _serve(self, request: Request, found: Found) -> Response:
        """The bytes, what is left to say when the client has them, or where the storage shows them itself."""
        etag = f'"{hashlib.sha256(found.key.encode()).hexdigest()[:32]}"'
        headers = {**SAFE, "ETag": etag, "Cache-Control": found.cache_control, "Accept-Ranges": "bytes"}
        if found.name:
            headers["Content-Disposition"] = attachment(found.name)
        if is_fresh(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        is_head = request.method == "HEAD"
        if found.left_seconds is not None and not is_head:  # the storage signs for a GET only
            redirect = await self._redirect(found, found.left_seconds)
            if redirect:
                if found.name and "range" not in request.headers:  # whether it is followed, only the storage sees
                    self._note(found.image_id)
                return redirect
        wanted = byte_range(request.headers.get("range"), request.headers.get("if-range"), etag)
        stored = await self._storage.open(found.key, None if is_head else wanted)
        headers["Content-Type"] = stored.content_type if stored.content_type in TYPES else content_type_of(found.key)
        headers["Content-Length"] = str(stored.length)
        if is_head:
            stored.close()
            return Response(status_code=200, headers=headers)
        if wanted:
            headers["Content-Range"] = f"bytes {stored.start}-{stored.start + stored.length - 1}/{stored.size}"
            return ObjectResponse(stored, 206, headers, None)
        done = partial(self._note, found.image_id) if found.name else None  # what is shown, not saved, is no download
        return ObjectResponse(stored, 200, headers, done)

    async def _redirect(self, found: Found, left_seconds: float) -> Response | None:
        """To the storage's own address of a private picture, where it has one; kept for as long as it is followed."""
        seconds = int(min(left_seconds, self._redirect_seconds))
        address = await self._storage.signed_url(
            found.key,
            expires_seconds=seconds + MARGIN_SECONDS,
            download_name=found.name,
            content_type=content_type_of(found.key),
        )
        headers = {**SAFE, "Location": address or "", "Cache-Control": f"private, max-age={seconds}"}
        return Response(status_code=302, headers=headers) if address else None


def _id(text: str) -> UUID:
    """The id, when it is written as we write it. Raises MissingError."""
    try:
        id = UUID(text)
    except ValueError as error:
        raise MissingError from error
    if str(id) != text:
        raise MissingError
    return id


def _found(image: StoredImage | None, variant: str, cache_control: str, left_seconds: float | None) -> Found:
    """The file of a variant; pictures of before thumbnails show the next larger one that they have."""
    if image is None or image.storage_path is None:
        raise MissingError
    smaller = {
        Variant.SMALL: image.small_path or image.medium_path,
        Variant.MEDIUM: image.medium_path,
    }
    key = smaller.get(Variant(variant)) if variant != DOWNLOAD else None
    key = key or image.storage_path
    name = download_name(image.prompt, extension_of(key)) if variant == DOWNLOAD else None
    return Found(key, name, cache_control, left_seconds, image.id)


async def _noted(chunks: AsyncIterator[bytes], done: Callable[[], None] | None) -> AsyncIterator[bytes]:
    """The chunks; `done` is called when the last has been taken, and not when somebody hangs up before."""
    async for chunk in chunks:
        yield chunk
    if done:
        done()


def _sentence(status_code: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{text}\n", status_code, {**SAFE, "Cache-Control": "no-store", **(headers or {})})
