"""A client's key for its request, with a digest of what it asks for."""

import hashlib
import re
from dataclasses import fields

import orjson
from strawberry import UNSET

from db.errors import InvalidInputError
from db.idempotency import KEY_PATH, IdempotencyKey
from schema.inputs import CreateBatchInput, CreateGenerationInput

KEY = re.compile(r"[ -~]{1,128}")
# Left out where they ask for nothing: a release that does not know them makes the same digest.
LATER = {"mask_image_id", "tags", "start_within_seconds", "reuse"}


def idempotency_key(
    input: CreateGenerationInput | CreateBatchInput, hours: float, mutation: str = "createGeneration"
) -> IdempotencyKey | None:
    """The client's key with the digest of all else. Raises InvalidInputError."""
    key = input.idempotency_key
    if key is None or key is UNSET:
        return None
    if not KEY.fullmatch(key):
        raise InvalidInputError("A key is 1 to 128 printable ASCII characters.", path=KEY_PATH)
    asked = {field.name: getattr(input, field.name) for field in fields(input) if field.name != "idempotency_key"}
    said = {name: value for name, value in asked.items() if not (name in LATER and value in (UNSET, None, False))}
    digest = orjson.dumps({**said, "idempotency_key": None}, default=_absent, option=orjson.OPT_SORT_KEYS)
    return IdempotencyKey(key, hashlib.sha256(digest).digest(), mutation, hours=hours)


def _absent(value: object) -> None:
    """What is left out is as good as null."""
    if value is not UNSET:
        raise TypeError(value)
