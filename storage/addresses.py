"""Addresses of pictures, Picture's own: public ones by a publication's id, private ones signed.

A signature is HMAC-SHA256 over the picture, the variant and the end of its time. That end stands still for a
window, so that the address does too, and browsers keep what they have fetched; when handed out it is half a window
to one and a half away. Each picture's windows begin at a moment of its own: else everybody's addresses would change,
and be fetched anew, in the same second. Making one takes some 3 µs; boto3's signing takes 180.
"""

import hashlib
import hmac
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from storage.errors import AddressError, AddressExpiredError
from storage.keys import Variant

DOWNLOAD = "download"  # the full picture, as a file to save
BLOCK_BYTES = 64  # of SHA-256
VARIANTS = frozenset({*map(str, Variant), DOWNLOAD})


@dataclass(frozen=True, slots=True)
class Signing:
    """What another maker of addresses needs to make the same ones (`db.reading.addresses`, in SQL)."""

    base: str
    inner: bytes  # the secret's pads: HMAC is sha256(outer + sha256(inner + what is signed))
    outer: bytes
    window_seconds: int
    soonest: int  # epoch seconds: an address that is handed out now ends then, or later


@dataclass(frozen=True, slots=True)
class ImageAddresses:
    """All addresses of one picture, as of one moment."""

    base: str  # up to the variant
    until: int | None  # epoch seconds; None: for as long as the picture stays public
    id: str
    hash: hmac.HMAC

    def url(self, variant: str = Variant.FULL) -> str:
        """The address of a variant: full, medium, small or download."""
        if self.until is None:
            return f"{self.base}{variant}"
        signature = _signature(self.hash, self.id, variant, self.until)
        return f"{self.base}{variant}?until={self.until}&signature={signature}"

    @property
    def expires_at(self) -> datetime | None:
        """When they stop working, all at once; None: not while the picture stays public."""
        return None if self.until is None else datetime.fromtimestamp(self.until, UTC)


class Addresses:
    """Makes and checks them, with one secret that every process has."""

    def __init__(self, public_url: str, secret: str, window_seconds: int = 3600) -> None:
        self._base = f"{public_url.rstrip('/')}/i/"
        self._hash = hmac.new(secret.encode(), digestmod="sha256")  # copied, which is twice as fast as made anew
        self._inner, self._outer = _pads(secret.encode())
        self._window_seconds = window_seconds

    def image(self, image_id: UUID, publication_id: UUID | None, now: float | None = None) -> ImageAddresses:
        """The addresses of a picture; private ones when it has no publication that all may see."""
        id = str(publication_id or image_id)
        until = None if publication_id else self._until(image_id, time.time() if now is None else now)
        return ImageAddresses(f"{self._base}{id}/", until, id, self._hash)

    def signing(self) -> Signing:
        """What it takes to make them elsewhere, now."""
        window = self._window_seconds
        return Signing(self._base, self._inner, self._outer, window, _soonest(window, time.time()))

    def verify(self, image_id: UUID, variant: str, until: str, signature: str, now: float | None = None) -> float:
        """For how many seconds more the address is good. Raises AddressError, AddressExpiredError."""
        try:
            end = int(until)
        except ValueError as error:
            raise AddressError from error
        expected = _signature(self._hash, str(image_id), variant, end)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise AddressError
        left = end - (time.time() if now is None else now)
        if left <= 0:
            raise AddressExpiredError
        return left

    def _until(self, image_id: UUID, now: float) -> int:
        """The first end of one of the picture's windows that is half a window away, or more."""
        window, soonest = self._window_seconds, _soonest(self._window_seconds, now)
        # By the last two bytes: random in every version of UUID in use, and as cheap to find in SQL as here.
        offset = (image_id.int & 0xFFFF) * window >> 16
        return soonest + (offset - soonest) % window


def _soonest(window_seconds: int, now: float) -> int:
    return math.ceil(now + window_seconds / 2)


def _pads(secret: bytes) -> tuple[bytes, bytes]:
    """The two blocks of RFC 2104 that the secret makes."""
    block = hashlib.sha256(secret).digest() if len(secret) > BLOCK_BYTES else secret
    block = block.ljust(BLOCK_BYTES, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


def _signature(hash: hmac.HMAC, id: str, variant: str, until: int) -> str:
    signed = hash.copy()
    signed.update(f"{id}/{variant}/{until}".encode())
    return signed.hexdigest()
