"""Where clients send the bytes of an upload: to the bucket's own signed address, or to ours in front of a folder.

Ours is signed with HMAC-SHA256 over the key, the size, the type and the end of its time. Size and type are told by the
request's own headers, so that a PUT with others simply bears no valid signature.
"""

import hmac
import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from storage.errors import AddressError, AddressExpiredError
from storage.keys import upload_key
from storage.objects import Storage

METHOD = "PUT"


@dataclass(frozen=True, slots=True)
class Put:
    """One upload's place: what is to be sent, and until when."""

    upload_id: UUID
    key: str
    size: int
    content_type: str
    expires_at: datetime


class Puts:
    """Gives out addresses that take one object each, and knows its own again."""

    def __init__(self, storage: Storage, public_url: str, secret: str, seconds: float = 3600) -> None:
        self.prefix = storage.prefix
        self.seconds = seconds
        self._storage = storage
        self._base = f"{public_url.rstrip('/')}/uploads/"
        self._secret = secret.encode()

    async def url(self, put: Put) -> str:
        """An address made now, good for `seconds`, but not beyond the upload's own end."""
        now = time.time()
        seconds = min(self.seconds, put.expires_at.timestamp() - now)
        address = await self._storage.signed_put(
            put.key, size=put.size, content_type=put.content_type, expires_seconds=seconds
        )
        if address:
            return address
        until = int(now + seconds)
        signature = self._signature(put.key, put.size, put.content_type, until)
        return f"{self._base}{put.upload_id}?until={until}&signature={signature}"

    def verify(self, upload_id: UUID, size: int, content_type: str, until: str, signature: str) -> str:
        """The key that this PUT may write. Raises AddressError, AddressExpiredError."""
        key = upload_key(self.prefix, upload_id)
        if not until.isdecimal() or len(until) > 12:
            raise AddressError
        expected = self._signature(key, size, content_type, int(until))
        if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
            raise AddressError
        if int(until) <= time.time():
            raise AddressExpiredError
        return key

    def _signature(self, key: str, size: int, content_type: str, until: int) -> str:
        signed = "\n".join((METHOD, key, str(size), content_type, str(until)))  # no address of a picture reads like it
        return hmac.new(self._secret, signed.encode(), "sha256").hexdigest()
