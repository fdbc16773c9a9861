"""The keys that tokens are verified with; each is for one algorithm, whatever a token says."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson
import structlog
from jose import jwk
from jose.exceptions import JOSEError

from db.errors import UnavailableError

log = structlog.get_logger(__name__)

HS256 = "HS256"
# Supabase signs with these; by the key's type and, where it has one, its curve.
ALGORITHMS = {("EC", "P-256"): "ES256", ("RSA", None): "RS256"}
JWKS_PATH = "/auth/v1/.well-known/jwks.json"
MIN_RSA_BITS = 2048
MAX_JWKS_BYTES = 100_000


class Keys:
    """A secret, a provider's published keys, or both."""

    def __init__(self, secret: str | None = None, published: "PublishedKeys | None" = None) -> None:
        self._secret = jwk.construct(secret.encode(), HS256) if secret else None
        self._published = published

    async def find(self, algorithm: object, kid: object) -> jwk.Key | None:
        """The key of that id if it is for that algorithm; None when there is none. Raises UnavailableError."""
        if algorithm == HS256:
            return self._secret
        if self._published is None or not isinstance(algorithm, str) or not isinstance(kid, str):
            return None
        found = await self._published.find(kid)
        return found[1] if found and found[0] == algorithm else None


class PublishedKeys:
    """An identity provider's keys, fetched when a new one is named, and never more often than `every_seconds`."""

    def __init__(self, http: aiohttp.ClientSession, url: str, *, every_seconds: float, timeout_seconds: float) -> None:
        self._http = http
        self._url = url
        self._every_seconds = every_seconds
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._keys: dict[str, tuple[str, jwk.Key]] = {}
        self._fetched_at: float | None = None  # successfully or not
        self._failed = False
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> tuple[str, jwk.Key] | None:
        """The key's algorithm and the key. Raises UnavailableError when it is unknown and the provider is away."""
        if kid not in self._keys and self._may_fetch():
            self._fetching = self._fetching or asyncio.create_task(self._fetch())
        if kid not in self._keys and self._fetching:
            await asyncio.shield(self._fetching)  # one fetch for all who wait; who leaves does not stop it
        if kid not in self._keys and self._failed:
            raise UnavailableError("The identity provider cannot be reached; try again in a moment.")
        return self._keys.get(kid)

    def _may_fetch(self) -> bool:
        return self._fetched_at is None or time.monotonic() - self._fetched_at >= self._every_seconds

    async def _fetch(self) -> None:
        self._fetched_at = time.monotonic()
        try:
            self._keys = _parse(await self._read())
            self._failed = False
        except (aiohttp.ClientError, OSError, ValueError) as error:
            log.warning("jwks_away", error=type(error).__name__)
            self._failed = True
        finally:
            self._fetching = None

    async def _read(self) -> bytes:
        async with self._http.get(self._url, timeout=self._timeout, allow_redirects=False) as response:
            if response.status != 200:
                raise ValueError(response.status)
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_JWKS_BYTES:
                    raise ValueError("too large")
            return bytes(body)


def _parse(body: bytes) -> dict[str, tuple[str, jwk.Key]]:
    """The usable keys by their ids. Raises ValueError when it is no set of keys."""
    keys = orjson.loads(body)
    if not isinstance(keys, dict) or not isinstance(keys.get("keys"), list):
        raise ValueError("no key set")
    found = {}
    for key in keys["keys"]:
        if isinstance(key, dict) and isinstance(key.get("kid"), str) and (usable := _usable(key)):
            found[key["kid"]] = usable
    return found


def _usable(key: Mapping[str, Any]) -> tuple[str, jwk.Key] | None:
    """A key with the one algorithm that it is for; None when it is not one that counts here."""
    algorithm = ALGORITHMS.get((str(key.get("kty")), key.get("crv")))
    if algorithm is None or key.get("alg", algorithm) != algorithm or key.get("use", "sig") != "sig":
        return None
    public = {name: key[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in key}
    try:
        made = jwk.construct(public, algorithm)
    except (JOSEError, ValueError, TypeError):
        return None
    return None if algorithm == "RS256" and made.prepared_key.key_size < MIN_RSA_BITS else (algorithm, made)
