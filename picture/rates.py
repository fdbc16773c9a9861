"""How often a person, and an address, may ask: buckets that are spent from here and kept in Redis.

A bucket holds a minute's worth and fills evenly (GCRA: all there is to know is when it will be full again). A process
spends from its own copy, which costs no round trip, and adds up with the others in the background: what was spent since
the last time goes to Redis in one script for all buckets, which answers with what all have spent. So replicas may
together let a little more through for a moment; and without Redis each goes on with what it knows.
"""

import asyncio
import ipaddress
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Self

import structlog
from redis.asyncio import Redis

from db.errors import RateLimitError
from picture.settings import Settings
from tasks.events import REDIS_ERRORS

log = structlog.get_logger(__name__)

MINUTE = 60
SHARE_SECONDS = 0.1  # between two scripts
REDIS_SECONDS = 1.0
AT_ONCE = 1000  # buckets of one script
MOST_BUCKETS = 50_000
FAILED_SIGN_IN = 20  # what a token that does not verify costs its address: each is a try
COST_OF_ONE = 1000  # an operation counts once, and once more for each so many values that it costs
IPV6_PREFIX = 64  # who has one address of these has them all

Key = tuple[str, object]  # a kind, and whose it is

# Redis' own clock, as those of replicas differ; the answer is how long until each bucket is full.
ADD_UP = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local left = {}
for i, key in ipairs(KEYS) do
  local full_at = math.max(tonumber(redis.call('GET', key) or 0), now) + tonumber(ARGV[i])
  redis.call('SET', key, string.format('%.6f', full_at), 'PX', math.ceil((full_at - now) * 1000) + 1)
  left[i] = string.format('%.6f', full_at - now)
end
return left
"""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How many in a minute; 0 is no limit."""

    operations_per_minute: int = 1200
    operations_per_minute_per_address: int = 12_000
    connections_per_minute: int = 120
    connections_per_minute_per_address: int = 1200

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those that the settings name."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})


def _check(seconds: float, most: int, what: str) -> None:
    """Raise RateLimitError when a bucket would be full only after more than a minute."""
    if seconds > MINUTE + 1e-6:
        wait = math.ceil(seconds - MINUTE)
        message = f"More than {most} {what} in a minute. Come back in {wait} s."
        raise RateLimitError(message, limit=most, window_seconds=MINUTE, retry_after_seconds=wait)


@dataclass(slots=True)
class _Bucket:
    """When it will be full again, by this process' clock, and the seconds of it that Redis has not been told of."""

    full_at: float = 0.0
    untold: float = 0.0


class Rates:
    """The buckets of one process; open with `open_rates`."""

    def __init__(self, redis: Redis, namespace: str, limits: RateLimits) -> None:
        self.limits = limits
        self._prefix = f"{namespace}:rate:"
        self._script: Any = redis.register_script(ADD_UP)
        self._buckets: dict[Key, _Bucket] = {}
        self._untold: dict[Key, _Bucket] = {}
        self._spent = asyncio.Event()
        self._is_away = False

    def operation(self, person: object, address: str, weight: int = 1) -> None:
        """Count an operation. Raises RateLimitError, and counts nothing, when it is one too many."""
        limits = self.limits
        self._spend(
            (("op", person) if person else None, limits.operations_per_minute, "operations of yours"),
            (("op@", address), limits.operations_per_minute_per_address, "operations from your address"),
            weight=weight,
        )

    def connection(self, address: str) -> None:
        """Count a WebSocket that is opened. Raises RateLimitError."""
        self._spend((("ws@", address), self.limits.connections_per_minute_per_address, "connections from your address"))

    def signed_in(self, person: object) -> None:
        """Count a WebSocket of somebody's. Raises RateLimitError."""
        self._spend((("ws", person), self.limits.connections_per_minute, "connections of yours"))

    def sign_in(self, address: str) -> None:
        """Raise RateLimitError when an address has so often failed to sign in, or asked, that it may not try now."""
        most = self.limits.operations_per_minute_per_address
        bucket = self._buckets.get(("op@", address))
        if most and bucket:
            _check(bucket.full_at - time.monotonic() + MINUTE / most, most, "operations from your address")

    def failed_sign_in(self, address: str) -> None:
        """Count what did not verify against its address, as more than an operation."""
        most = self.limits.operations_per_minute_per_address
        if most:
            key, now = ("op@", address), time.monotonic()
            bucket = self._buckets.get(key) or self._new(key)
            left = max(bucket.full_at - now, 0)
            self._add(key, bucket, now + left, min(FAILED_SIGN_IN * MINUTE / most, max(MINUTE - left, 0)))

    def _spend(self, *limits: tuple[Key | None, int, str], weight: int = 1) -> None:
        """Take from all buckets, or from none."""
        now = time.monotonic()
        spent = []
        for key, most, what in limits:
            if not most or key is None:
                continue
            bucket = self._buckets.get(key) or self._new(key)
            full_at, cost = max(bucket.full_at, now), min(weight, most) * MINUTE / most
            _check(full_at + cost - now, most, what)
            spent.append((key, bucket, full_at, cost))
        for each in spent:
            self._add(*each)

    def _add(self, key: Key, bucket: _Bucket, full_at: float, cost: float) -> None:
        bucket.full_at = full_at + cost
        bucket.untold += cost
        self._untold[key] = bucket
        self._spent.set()

    def _new(self, key: Key) -> _Bucket:
        if len(self._buckets) >= MOST_BUCKETS:
            del self._buckets[next(iter(self._buckets))]  # Redis knows it still
        bucket = self._buckets[key] = _Bucket()
        return bucket

    async def follow(self) -> None:
        """Tell Redis, and hear from it, until cancelled; raises nothing."""
        forget_at = time.monotonic() + MINUTE
        while True:
            await self._spent.wait()
            self._spent.clear()
            untold, self._untold = list(self._untold.items()), {}
            for begin in range(0, len(untold), AT_ONCE):
                await self._tell(untold[begin : begin + AT_ONCE])
            if time.monotonic() > forget_at:
                self._forget()
                forget_at = time.monotonic() + MINUTE
            await asyncio.sleep(SHARE_SECONDS)

    async def _tell(self, told: list[tuple[Key, _Bucket]]) -> None:
        spent = [bucket.untold for _, bucket in told]
        for _, bucket in told:
            bucket.untold = 0.0
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                answer = await self._script(keys=[f"{self._prefix}{kind}:{who}" for (kind, who), _ in told], args=spent)
        except REDIS_ERRORS as error:
            # What was spent meanwhile is not told later: by then it has been filled up again.
            if not self._is_away:
                log.warning("redis_away", half="rates", error=type(error).__name__)
            self._is_away = True
            return
        if self._is_away:
            log.info("redis_back", half="rates")
        self._is_away = False
        now = time.monotonic()
        for (_, bucket), left in zip(told, answer, strict=True):
            bucket.full_at = max(bucket.full_at, now + float(left) + bucket.untold)

    def _forget(self) -> None:
        """A full bucket is as good as none."""
        now = time.monotonic()
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if bucket.full_at > now}


@asynccontextmanager
async def open_rates(redis: Redis, namespace: str, limits: RateLimits) -> AsyncIterator[Rates]:
    """Buckets that are told to Redis and heard of from it."""
    rates = Rates(redis, namespace, limits)
    following = asyncio.create_task(rates.follow())
    try:
        yield rates
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


@lru_cache(10_000)
def whose(host: str | None) -> str:
    """What counts as one address: of IPv6 the network that one subscriber has."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return host or "none"  # a socket of this machine
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)
