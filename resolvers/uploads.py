"""Uploads: a place for the bytes, their arrival, and what came of them."""

import unicodedata
from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID, uuid4

import strawberry

from db import uploads
from db.errors import BadRequestError, ConflictError, InvalidInputError, UnavailableError
from db.tables import UploadRow
from db.uploads import NewUpload
from resolvers.callers import require_caller, require_person
from resolvers.ids import missing, require, row_id
from schema.arguments import Id
from schema.bounds import Bounds
from schema.context import Info
from schema.enums import UploadStatus
from schema.inputs import CreateUploadInput
from schema.payloads import UploadPayload
from schema.upload import Upload
from storage.errors import ObjectMissingError, StorageError
from storage.keys import upload_key
from tasks.queue import UPLOADS

Promised = Annotated[CreateUploadInput, strawberry.argument(description="What will be sent.")]

TYPES = ("image/png", "image/jpeg", "image/webp")
MAX_FILENAME_CHARACTERS = 255


async def upload(info: Info, id: Id) -> Upload | None:
    """One of the caller's own, or null."""
    found = row_id(id, Upload)
    row = await info.context.loaders.uploads.load(found) if found else None
    return Upload.of(row) if row else None


async def create_upload(info: Info, input: Promised) -> UploadPayload:
    """A PENDING upload. Raises what is wrong with the input, or which limit is reached; then nothing is written."""
    owner, context = require_person(info), info.context
    new = _checked(input, context.bounds, context.puts.prefix)
    async with context.db.as_user(context.claims) as session:
        row = await uploads.create(session, owner, new, context.allowance)
    return UploadPayload(upload=Upload.of(row))


async def complete_upload(info: Info, id: Id) -> UploadPayload:
    """The upload as it is now: PROCESSING once its bytes are there. Raises ConflictError until they are."""
    require_caller(info)
    context, upload_id = info.context, require(id, Upload, "id")
    row = await _read(info, upload_id)
    if row is None:
        raise missing(id, Upload, "id")
    if row.status == UploadStatus.PENDING:
        await _require_bytes(info, row)
        async with context.db.as_user(context.claims) as session:
            is_complete = await uploads.complete(
                session, upload_id, put_seconds=context.puts.seconds, hours=context.bounds.upload_hours
            )
        if is_complete:
            await context.events.announce(f"upload:{upload_id}", {})
        row = await _read(info, upload_id)
        if row is None:
            raise missing(id, Upload, "id")
    if row.status == UploadStatus.PROCESSING:
        await context.queue.wake(UPLOADS)
    return UploadPayload(upload=Upload.of(row))


async def upload_updated(info: Info, id: Id) -> AsyncGenerator[Upload, None]:
    """The upload as it is now, then each change, to its end. Raises BadRequestError when there is none to see."""
    require_person(info)
    upload_id = row_id(id, Upload)
    if upload_id is None or await _read(info, upload_id) is None:
        raise BadRequestError("There is no such upload.", path=("id",))
    return _changes(info, upload_id)


async def _changes(info: Info, upload_id: UUID) -> AsyncGenerator[Upload, None]:
    """Attached first, then read: nothing falls between."""
    async with info.context.hub.topic(f"upload:{upload_id}") as topic:
        told: str | None = None
        while (row := await _read(info, upload_id)) is not None:
            if row.status != told:
                told = row.status
                yield Upload.of(row)
            if row.status.is_final:
                return
            await topic.next()


async def _read(info: Info, upload_id: UUID) -> UploadRow | None:
    async with info.context.db.as_user(info.context.claims) as session:
        return await uploads.get(session, upload_id)


async def _require_bytes(info: Info, row: UploadRow) -> None:
    """Raise ConflictError unless as much as was promised lies there; what it is, the check will find out."""
    try:
        facts = await info.context.storage.facts(row.object_key)
    except ObjectMissingError as error:
        raise ConflictError("The bytes are not there yet: PUT them to its url first.", path=("id",)) from error
    except StorageError as error:
        raise UnavailableError from error
    if facts.size != row.size:
        raise ConflictError(f"{row.size} bytes were promised, {facts.size} are there; PUT them again.", path=("id",))


def _checked(input: CreateUploadInput, bounds: Bounds, prefix: str) -> NewUpload:
    name, content_type = input.filename, input.content_type.strip().lower()
    if not name.strip() or len(name) > MAX_FILENAME_CHARACTERS:
        raise _wrong("filename", f"A name has 1 to {MAX_FILENAME_CHARACTERS} characters.")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise _wrong("filename", "No control characters.")
    if content_type not in TYPES:
        raise _wrong("contentType", f"{', '.join(TYPES)} are taken.")
    if input.size < 1:
        raise _wrong("size", "There is at least one byte.")
    if input.size > bounds.upload_bytes:
        raise _wrong("size", f"At most {bounds.upload_bytes} bytes; this is {input.size}.", "TOO_LARGE")
    id = uuid4()
    return NewUpload(id, name, content_type, input.size, upload_key(prefix, id), bounds.upload_hours)


def _wrong(field: str, message: str, code: str = "INVALID") -> InvalidInputError:
    return InvalidInputError(message, path=("input", field), code=code)
