"""Where bytes are sent to when the storage is a folder: `PUT /uploads/{id}`, signed, as a bucket would take them.

The signature covers the key, the size, the type and the end of its time. They are streamed to the disk, and seen only
when all of them have come. No token is asked for, so that the address is all that a client needs.
"""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from db import uploads
from db.claims import ANONYMOUS
from db.database import Database, is_away
from storage.errors import AddressError, AddressExpiredError, StorageError
from storage.folder import Folder
from storage.objects import Storage
from storage.puts import METHOD, Puts

log = structlog.get_logger(__name__)

LIFETIME_SECONDS = 900  # of one PUT: a client that sends nothing must not hold a file for ever
BATCH_BYTES = 256 * 1024  # written at once: a hop to a thread costs 0.05 ms
DIGITS = 12


class Refusal(Exception):
    """The bytes are not taken; why, in one sentence."""

    def __init__(self, status_code: int, text: str) -> None:
        super().__init__(text)
        self.status_code = status_code


def routes(db: Database, storage: Storage, puts: Puts) -> list[BaseRoute]:
    """`/uploads/{id}`, where nobody else takes the bytes."""
    if not isinstance(storage, Folder):
        return []
    return [Route("/uploads/{id}", Uploads(db, storage, puts).answer, methods=[METHOD])]


class Uploads:
    """Takes the bytes of every upload there is."""

    def __init__(self, db: Database, folder: Folder, puts: Puts) -> None:
        self._db = db
        self._folder = folder
        self._puts = puts

    async def answer(self, request: Request) -> Response:
        """Nothing when they have been taken, or one sentence that says why not."""
        try:
            async with asyncio.timeout(LIFETIME_SECONDS):
                await self._take(request)
        except Refusal as refusal:
            return _sentence(refusal.status_code, str(refusal))
        except AddressExpiredError:
            return _sentence(403, "This address has expired; ask for the upload again.")
        except AddressError:
            return _sentence(403, "The signature is not of this address, Content-Type and Content-Length.")
        except (ClientDisconnect, TimeoutError):
            return _sentence(408, "Not all of the bytes have come.")
        except Exception as error:
            if not (isinstance(error, StorageError) or is_away(error)):
                raise
            log.warning("upload_not_taken", error=f"{type(error).__name__}: {error}")
            return _sentence(503, "Nothing can be stored just now; try again in a moment.")
        return _sentence(200, "")

    async def _take(self, request: Request) -> None:
        upload_id, size = _id(request.path_params["id"]), _length(request)
        content_type = request.headers.get("content-type", "")
        asked = request.query_params
        key = self._puts.verify(upload_id, size, content_type, asked.get("until", ""), asked.get("signature", ""))
        await self._require_waiting(upload_id)
        await self._folder.receive(key, self._checked(request, upload_id, size), content_type)

    async def _checked(self, request: Request, upload_id: UUID, size: int) -> AsyncIterator[bytes]:
        """The body in pieces that are worth a write. Raises Refusal at the end unless it is to be kept."""
        waiting, count = bytearray(), 0
        async for chunk in request.stream():
            count += len(chunk)
            if count > size:
                raise Refusal(400, "More bytes have come than were announced.")
            waiting += chunk
            if len(waiting) >= BATCH_BYTES:
                yield bytes(waiting)
                waiting.clear()
        if count < size:
            raise Refusal(400, "Fewer bytes have come than were announced.")
        yield bytes(waiting)
        await self._require_waiting(upload_id)  # it may have been completed meanwhile, with what was there before

    async def _require_waiting(self, upload_id: UUID) -> None:
        async with self._db.as_user(ANONYMOUS) as session:
            awaits = await uploads.awaits_bytes(session, upload_id)
        if awaits is None:
            raise Refusal(404, "There is no such upload.")
        if not awaits:
            raise Refusal(409, "This upload does not take bytes any more.")


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Refusal(404, "There is no such upload.") from error


def _length(request: Request) -> int:
    given = request.headers.get("content-length", "")
    if not (given.isascii() and given.isdecimal() and len(given) <= DIGITS):
        raise Refusal(411, "Say with Content-Length how many bytes there are.")
    return int(given)


def _sentence(status_code: int, text: str) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if status_code >= 400:
        headers["Connection"] = "close"  # the rest of the body is not read
    return PlainTextResponse(f"{text}\n" if text else "", status_code, headers)
