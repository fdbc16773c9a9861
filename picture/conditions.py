"""What a client has already, and which part it wants: HTTP's conditions and ranges (RFC 9110, 13 and 14)."""

import re

from storage.stored_object import ByteRange

ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def is_fresh(if_none_match: str | None, etag: str) -> bool:
    """Whether the client has this very thing, so that 304 is all it needs."""
    tags = (if_none_match or "").split(",")
    return any(tag.strip().removeprefix("W/") in {etag, "*"} for tag in tags)


def byte_range(range: str | None, if_range: str | None, etag: str) -> ByteRange | None:
    """The part to answer with; None for the whole: where none or several are wanted, or of another version."""
    found = ONE_RANGE.fullmatch(range or "")
    if not found or (if_range and if_range != etag):
        return None
    first, last = found.groups()
    if not first:
        return (-int(last), None) if last.strip("0") else None
    if last and int(last) < int(first):
        return None
    return int(first), int(last) if last else None
