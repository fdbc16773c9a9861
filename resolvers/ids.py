"""Global ids: what is malformed, or of another type, is the same as what is not there."""

import base64
import binascii
import re
from uuid import UUID

from db.errors import NotFoundError
from schema.node import Node


def parse(id: str) -> tuple[str, UUID] | None:
    """The type's name and the row's id; None when it is no global id."""
    try:
        name, _, key = base64.b64decode(id, validate=True).decode().partition(":")
        row_id = UUID(key)
    except (binascii.Error, ValueError):
        return None
    return (name, row_id) if str(row_id) == key else None


def row_id(id: str, type: type[Node]) -> UUID | None:
    """The row's id; None when it is not one of `type`."""
    parsed = parse(id)
    return parsed[1] if parsed and parsed[0] == type.__name__ else None


def require(id: str, type: type[Node], *path: str) -> UUID:
    """The row's id. Raises NotFoundError naming the argument when it is not one of `type`."""
    found = row_id(id, type)
    if found is None:
        raise missing(id, type, *path)
    return found


def missing(id: str, type: type[Node], *path: str) -> NotFoundError:
    """The error for an id that names nothing the caller may see."""
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", type.__name__).lower()
    return NotFoundError(f"There is no such {words}.", path=path, missing_id=id)
