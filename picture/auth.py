"""Bearer tokens: who asks. A token that is given and not valid is refused, never taken for nobody."""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from jose import jwk
from jose.exceptions import JOSEError
from jose.utils import base64url_decode

from db import profiles
from db.claims import ANONYMOUS, Claims
from db.database import Database
from db.errors import ExpiredError, UnauthenticatedError, UnavailableError
from picture import failures
from picture.keys import Keys
from picture.revocations import Revocations

BEARER = re.compile(r"Bearer +(\S+) *", re.IGNORECASE)
TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
MAX_TOKEN_CHARACTERS = 16_384
AUDIENCE = "authenticated"
NOBODYS_ROLES = ("anon", "service_role")  # Supabase's own keys have no subject


@dataclass(frozen=True, slots=True)
class AuthLimits:
    """How long things are believed."""

    leeway_seconds: float = 5
    revoked_seconds: float = 5
    cache_entries: int = 10_000


class Auth:
    """Verifies tokens; remembers those that are valid until they end, and who has been seen."""

    def __init__(self, keys: Keys, db: Database, revocations: Revocations, limits: AuthLimits | None = None) -> None:
        self._keys = keys
        self._db = db
        self._revocations = revocations
        self._limits = limits or AuthLimits()
        self._claims: OrderedDict[str, tuple[Claims, float]] = OrderedDict()  # with the end of each
        self._seen: OrderedDict[UUID, float] = OrderedDict()  # when a person was last known not to be revoked
        self._asking: dict[UUID, asyncio.Task[None]] = {}

    async def verify(self, authorization: str | None) -> Claims:
        """The claims of an Authorization header; nobody's for None. Raises UnauthenticatedError, UnavailableError."""
        if authorization is None:
            return ANONYMOUS
        match = BEARER.fullmatch(authorization)
        if not match:
            raise UnauthenticatedError("The Authorization header is not `Bearer` and a token.")
        claims = await self._verified(match[1])
        if claims.sub:
            await self._known(claims)
        return claims

    async def _verified(self, token: str) -> Claims:
        remembered = self._claims.get(token)
        if remembered is None:
            payload = await self._payload(token)
            claims = judge(payload, time.time(), self._limits.leeway_seconds)
            _remember(self._claims, token, (claims, payload["exp"]), self._limits.cache_entries)
            return claims
        claims, expires_at = remembered
        if expires_at + self._limits.leeway_seconds <= time.time():
            del self._claims[token]
            raise ExpiredError
        return claims

    async def _payload(self, token: str) -> Mapping[str, Any]:
        """What a key of ours has signed. The key says which algorithm counts, never the token."""
        if len(token) > MAX_TOKEN_CHARACTERS or not TOKEN.fullmatch(token):
            raise UnauthenticatedError("The token is malformed.")
        signed, _, signature = token.rpartition(".")
        head, _, body = signed.partition(".")
        header, payload = _decode(head), _decode(body)
        key = await self._keys.find(header.get("alg"), header.get("kid"))
        if key is None or not _is_signed(key, signed, signature):
            raise UnauthenticatedError("The token is not signed by a key that counts here.")
        return payload

    async def _known(self, claims: Claims) -> None:
        """Make the profile of who is new; turn away who has been revoked. Asked again every few seconds."""
        sub = claims.sub
        assert sub
        if self._revocations.is_gone(sub):
            raise UnauthenticatedError(profiles.GONE)
        if time.monotonic() - self._seen.get(sub, -self._limits.revoked_seconds) < self._limits.revoked_seconds:
            return
        asking = self._asking.get(sub)
        if asking is None:
            asking = self._asking[sub] = asyncio.create_task(self._ensure(claims))
            asking.add_done_callback(lambda asked: self._asked(sub, asked))
        await asyncio.shield(asking)

    def _asked(self, sub: UUID, asked: asyncio.Task[None]) -> None:
        self._asking.pop(sub, None)
        if not asked.cancelled():
            asked.exception()  # whoever still waits gets it; when nobody does, it is no news

    async def _ensure(self, claims: Claims) -> None:
        assert claims.sub
        self._seen.pop(claims.sub, None)
        began_at = time.monotonic()
        try:
            await profiles.admit(self._db, claims)
        except Exception as error:
            if failures.judge(error).code in (failures.UNAVAILABLE, failures.TIMEOUT):
                raise UnavailableError from error
            if isinstance(error, UnauthenticatedError):
                self._revocations.revoke(claims.sub)
            raise
        _remember(self._seen, claims.sub, began_at, self._limits.cache_entries)


def judge(payload: Mapping[str, Any], now: float, leeway_seconds: float = 0) -> Claims:
    """The claims of a verified payload. Raises UnauthenticatedError when they are not as they must be."""
    expires_at, role, sub = payload.get("exp"), payload.get("role"), payload.get("sub")
    if isinstance(expires_at, bool) or not isinstance(expires_at, int | float):
        raise UnauthenticatedError("The token has no end.")
    if expires_at <= now - leeway_seconds:
        raise ExpiredError
    begins_at = payload.get("nbf", 0)
    if not isinstance(begins_at, int | float) or begins_at > now + leeway_seconds:
        raise UnauthenticatedError("The token does not count yet.")
    if sub is None and "aud" not in payload and role in NOBODYS_ROLES:
        is_admin = role == "service_role"
        return Claims(role=str(role), is_admin=is_admin, expires_at=expires_at) if is_admin else ANONYMOUS
    audience = payload.get("aud")
    if AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
        raise UnauthenticatedError("The token is for another audience.")
    return Claims(
        sub=_subject(sub),
        role=str(role or AUDIENCE),
        is_admin=role == "service_role" or _app_role(payload) == "admin",
        email=payload["email"] if isinstance(payload.get("email"), str) else None,
        expires_at=expires_at,
    )


def _subject(sub: object) -> UUID:
    try:
        id = UUID(sub) if isinstance(sub, str) else None
    except ValueError:
        id = None
    if id is None or str(id) != sub:
        raise UnauthenticatedError("The token's subject is not a UUID in its usual form.")
    return id


def _app_role(payload: Mapping[str, Any]) -> object:
    metadata = payload.get("app_metadata")
    return metadata.get("role") if isinstance(metadata, dict) else None


def _decode(part: str) -> dict[str, Any]:
    try:
        value = orjson.loads(base64url_decode(part.encode()))
    except ValueError as error:
        raise UnauthenticatedError("The token is malformed.") from error
    if not isinstance(value, dict):
        raise UnauthenticatedError("The token is malformed.")
    return value


def _is_signed(key: jwk.Key, signed: str, signature: str) -> bool:
    try:
        return bool(key.verify(signed.encode(), base64url_decode(signature.encode())))
    except (JOSEError, ValueError):
        return False


def _remember(cache: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Keep at most so many, the newest."""
    cache[key] = value
    while len(cache) > most:
        cache.popitem(last=False)
