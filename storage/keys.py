"""The names of stored objects: what an attempt at a generation makes is known before it is made."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum, auto
from pathlib import PurePosixPath
from uuid import UUID

from storage.errors import KeyRefusedError

MAX_KEY_CHARACTERS = 512
CONTENT_TYPES = {
    "webp": "image/webp",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "svg": "image/svg+xml",
}


class Variant(StrEnum):
    """The files that one picture is kept as."""

    FULL = auto()
    MEDIUM = auto()
    SMALL = auto()


@dataclass(frozen=True, slots=True)
class ImageKey:
    """What a key says."""

    generation_id: UUID
    attempt_id: UUID
    index: int
    variant: Variant
    extension: str


def image_key(
    prefix: str, generation_id: UUID, attempt_id: UUID, index: int, variant: Variant | str, extension: str
) -> str:
    """The key of one file of one picture; the same for the same attempt, so that storing twice leaves one."""
    return f"{prefix}generations/{generation_id}/{attempt_id}/{index}-{Variant(variant)}.{extension}"


def upload_key(prefix: str, upload_id: UUID) -> str:
    """The key that a client's bytes arrive under, as they are: nothing serves it."""
    return f"{prefix}uploads/{upload_id}/original"


def received_key(prefix: str, upload_id: UUID, attempt_id: UUID, variant: Variant, extension: str) -> str:
    """The key of one file of the picture that an attempt makes of an upload."""
    return f"{prefix}uploads/{upload_id}/{attempt_id}/{variant}.{extension}"


def parse(prefix: str, key: str) -> ImageKey:
    """What `image_key` was given. Raises KeyRefusedError for any other key."""
    try:
        kind, generation, attempt, name = key.removeprefix(prefix).split("/")
        stem, extension = name.split(".")
        index, variant = stem.split("-")
        parsed = ImageKey(UUID(generation), UUID(attempt), int(index), Variant(variant), extension)
    except ValueError as error:
        raise KeyRefusedError from error
    if kind != "generations" or image_key(prefix, *_parts(parsed)) != key:
        raise KeyRefusedError
    return parsed


def content_type_of(key: str) -> str:
    """The type that a key's extension stands for; plain bytes when it is none of a picture's."""
    return CONTENT_TYPES.get(extension_of(key), "application/octet-stream")


def extension_of(key: str) -> str:
    """What follows the last dot of a key's name, in lower case; empty when there is none."""
    return PurePosixPath(key).suffix[1:].lower()


def check(key: str, prefix: str = "") -> str:
    """`key`, when it is a plain path below `prefix`. Raises KeyRefusedError otherwise."""
    segments = key.split("/")
    is_plain = all(segment not in {"", ".", ".."} for segment in segments) and "\\" not in key
    is_printable = not any(unicodedata.category(character) in {"Cc", "Cs"} for character in key)
    if not (is_plain and is_printable and key.startswith(prefix) and len(key) <= MAX_KEY_CHARACTERS):
        raise KeyRefusedError
    return key


def _parts(key: ImageKey) -> tuple[UUID, UUID, int, Variant, str]:
    return key.generation_id, key.attempt_id, key.index, key.variant, key.extension
