"""Documents by their hash: those that are trusted, and those that clients have had remembered.

The second kind is Apollo's protocol of automatic persisted queries: a client sends a hash, is told
`PersistedQueryNotFound`, sends hash and text once, and from then on the hash alone. What is remembered is bounded in
number, size and age, in Redis and in each process, and is a valid document.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from redis.asyncio import Redis

from picture.bodies import Asked
from picture.failures import BAD_INPUT
from picture.refusals import RefusedError
from tasks.events import REDIS_ERRORS

log = structlog.get_logger(__name__)

VERSION = 1
HASH = re.compile(r"[0-9a-f]{64}")
MAX_CHARACTERS = 10_000  # as many as an examined document may have to be remembered
MOST_HERE = 512
REGISTERING = 10  # what having one remembered counts, in operations

# A hash of texts, and when each was last asked for; what is old, or one too many, is forgotten with every new one.
KEEP = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], now, ARGV[1])
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[3])
local over = redis.call('ZCARD', KEYS[2]) - #gone - ARGV[4]
if over > 0 then
  for _, hash in ipairs(redis.call('ZRANGE', KEYS[2], #gone, #gone + over - 1)) do gone[#gone + 1] = hash end
end
for _, hash in ipairs(gone) do redis.call('ZREM', KEYS[2], hash) redis.call('HDEL', KEYS[1], hash) end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
"""
FIND = """
local text = redis.call('HGET', KEYS[1], ARGV[1])
if text then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[2], time[1] + time[2] / 1000000, ARGV[1])
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  redis.call('EXPIRE', KEYS[2], ARGV[2])
end
return text
"""


class Remembered:
    """Documents that clients have had remembered, in Redis for all replicas, the latest of them here."""

    def __init__(self, redis: Redis, namespace: str, *, most: int, seconds: float) -> None:
        self._keys = [f"{namespace}:documents", f"{namespace}:documents:used"]
        self._keep: Any = redis.register_script(KEEP)
        self._find: Any = redis.register_script(FIND)
        self._bounds = [max(1, int(seconds)), most]
        self._here: OrderedDict[str, str] = OrderedDict()

    async def get(self, hash: str) -> str | None:
        """The text of that hash; None when nobody knows it, or it cannot be asked for."""
        if hash in self._here:
            self._here.move_to_end(hash)
            return self._here[hash]
        try:
            found = await self._find(keys=self._keys, args=[hash, self._bounds[0]])
        except REDIS_ERRORS as error:
            log.warning("redis_away", half="documents", error=type(error).__name__)
            return None
        if found is None:
            return None
        text = found.decode() if isinstance(found, bytes) else str(found)
        self._hold(hash, text)
        return text

    async def keep(self, hash: str, text: str) -> None:
        """Remember a text; running twice changes nothing."""
        if hash in self._here:
            return
        self._hold(hash, text)
        try:
            await self._keep(keys=self._keys, args=[hash, text, *self._bounds])
        except REDIS_ERRORS as error:
            log.warning("redis_away", half="documents", error=type(error).__name__)

    def knows(self, hash: str) -> bool:
        """Whether it is remembered here."""
        return hash in self._here

    def _hold(self, hash: str, text: str) -> None:
        self._here[hash] = text
        while len(self._here) > MOST_HERE:
            self._here.popitem(last=False)


class Persisted:
    """Turns what a client has asked for into the text that is run."""

    def __init__(
        self,
        trusted: Mapping[str, str],
        *,
        trusted_only: bool,
        remembered: Remembered | None,
        is_valid: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._trusted = trusted
        self._texts = frozenset(trusted.values())
        self._trusted_only = trusted_only
        self._remembered = remembered
        self._is_valid = is_valid

    async def text(self, asked: Asked, spend: Callable[[int], None]) -> str:
        """The document to run. Raises RefusedError, RateLimitError.

        `spend` is called with the operations that having a new document remembered counts.
        """
        hash = asked.document_id or _hash(asked.extensions)
        if hash is None:
            return self._allowed(asked.query)
        hash = hash.removeprefix("sha256:")
        if hash in self._trusted:
            return self._trusted[hash]
        if self._trusted_only:
            return self._allowed(asked.query)
        if self._remembered is None:
            if asked.query:
                return asked.query
            raise RefusedError(200, "PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")
        if asked.query:
            await self._remember(self._remembered, hash, asked.query, spend)
            return asked.query
        found = await self._remembered.get(hash) if HASH.fullmatch(hash) else None
        if found is None:
            raise RefusedError(200, "PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
        return found

    def _allowed(self, query: str | None) -> str:
        if self._trusted_only and query not in self._texts:
            raise RefusedError(400, "Only trusted documents are run here.", "DOCUMENT_NOT_TRUSTED")
        if not query:
            raise RefusedError(400, "No GraphQL query found in the request.")
        return query

    async def _remember(self, remembered: Remembered, hash: str, text: str, spend: Callable[[int], None]) -> None:
        if remembered.knows(hash) and await remembered.get(hash) == text:
            return
        if hashlib.sha256(text.encode()).hexdigest() != hash:
            raise RefusedError(400, "The hash is not that of the query.", BAD_INPUT)
        if len(text) <= MAX_CHARACTERS and await self._is_valid(text):
            spend(REGISTERING)
            await remembered.keep(hash, text)


def _hash(extensions: Mapping[str, Any] | None) -> str | None:
    """The hash in Apollo's extension. Raises RefusedError when it is none."""
    given = (extensions or {}).get("persistedQuery")
    if given is None:
        return None
    hash = given.get("sha256Hash") if isinstance(given, dict) else None
    if not isinstance(hash, str) or given.get("version") != VERSION:
        raise RefusedError(400, "`persistedQuery` has a `version`, which is 1, and a `sha256Hash`.")
    return hash
