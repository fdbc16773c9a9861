"""What everything passes before it is run, over HTTP and over a WebSocket alike: names, rates, sizes, hashes."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from starlette.requests import HTTPConnection

from db.errors import RateLimitError
from picture.bodies import Asked, RequestLimits
from picture.failures import RATE_LIMITED
from picture.origins import Hosts
from picture.persisted import Persisted, Remembered
from picture.rates import COST_OF_ONE, Rates, whose
from picture.refusals import RefusedError
from picture.settings import Settings
from schema.context import Context

RETRY_SECONDS = 10  # nobody knows when others hang up
LATE_SECONDS = 0.25  # who asks too often hears so late: whoever only waits for the answer to ask again, asks less
COST_HEADER = "X-Picture-Cost"


@dataclass
class Gate:
    """What one process lets through."""

    limits: RequestLimits
    hosts: Hosts
    rates: Rates
    persisted: Persisted
    max_sockets_per_address: int
    open: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(
        cls,
        settings: Settings,
        redis: Redis,
        rates: Rates,
        trusted: Mapping[str, str],
        is_valid: Callable[[str], Awaitable[bool]],
    ) -> "Gate":
        """As the settings say."""
        seconds = settings.persisted_hours * 3600
        remembered = Remembered(redis, settings.namespace, most=settings.max_persisted, seconds=seconds)
        return cls(
            RequestLimits.of(settings),
            Hosts.of(settings),
            rates,
            Persisted(
                trusted,
                trusted_only=settings.trusted_only,
                remembered=remembered if settings.persisted_queries else None,
                is_valid=is_valid,
            ),
            settings.max_sockets_per_address,
        )

    def prepare(self, context: Context, request: HTTPConnection) -> str:
        """Give the context what depends on the request; the address that counts."""
        address = address_of(request)
        context.tells_cost = COST_HEADER in request.headers
        context.meter = partial(self._spend, address)
        return address

    def _spend(self, address: str, person: UUID | None, cost: int) -> None:
        if weight := cost // COST_OF_ONE:
            self.rates.operation(person, address, weight)

    async def text(self, asked: Asked, context: Context, address: str) -> str:
        """The document to run. Raises RefusedError, RateLimitError."""
        return await self.persisted.text(
            asked, lambda weight: self.rates.operation(context.claims.sub, address, weight)
        )

    async def subscribed(self, payload: dict[str, Any], context: Context, address: str) -> None:
        """Let an operation over a WebSocket pass, and set its query. Raises RefusedError, RateLimitError."""
        self.rates.operation(context.claims.sub, address)
        payload["query"] = await self.text(Asked.parse(payload, self.limits), context, address)

    @contextmanager
    def connected(self, request: HTTPConnection) -> Iterator[None]:
        """Count a WebSocket while it is open. Raises RefusedError, RateLimitError."""
        self.hosts.check(request.headers)
        address = address_of(request)
        self.rates.connection(address)
        if self.open[address] >= self.max_sockets_per_address:
            raise limited(
                RateLimitError(
                    "Your address has too many connections open.",
                    limit=self.max_sockets_per_address,
                    window_seconds=0,
                    retry_after_seconds=RETRY_SECONDS,
                )
            )
        self.open[address] += 1
        try:
            yield
        finally:
            self.open[address] -= 1
            if not self.open[address]:
                del self.open[address]


def address_of(request: HTTPConnection) -> str:
    """Whose address a request came from, as far as the proxies that are trusted say."""
    return whose(request.client.host if request.client else None)


def limited(error: RateLimitError) -> RefusedError:
    """Over HTTP: when to come back, for programs and for proxies."""
    seconds = error.retry_after_seconds
    return RefusedError(
        429,
        str(error),
        RATE_LIMITED,
        headers={"Retry-After": str(seconds)},
        extensions={"retryAfterSeconds": seconds},
    )
