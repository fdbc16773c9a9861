"""Telling those who listen: after the commit, over Redis, as a wake-up that may be lost."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from db.enums import EventKind, GenerationStage
from db.events import Changed
from db.tables import GenerationRow
from tasks import news, topics
from tasks.wire import Wire

log = structlog.get_logger(__name__)

# uvloop says RuntimeError of a connection that has been closed in the very moment that it is written to.
REDIS_ERRORS = (RedisError, OSError, TimeoutError, RuntimeError)

PROGRESS_SECONDS = 0.25  # the contract: at most four a second …
PREVIEW_SECONDS = 0.5  # … and two
PUBLISH_SECONDS = 1.0  # nobody who changes a generation waits longer for Redis than this
FORGET_SECONDS = 60.0


def connect(url: str) -> Redis:
    """A client that says at once when Redis is away, instead of trying again while a request waits."""
    # One retry: a connection of before a restart is only found dead when it is used.
    return Redis.from_url(url, retry=Retry(NoBackoff(), 1))


@dataclass(slots=True)
class _Pace:
    """When one kind of news of one attempt last went out, and what waits for its turn."""

    sent_at: float
    waiting: bytes | None = None
    timer: asyncio.TimerHandle | None = None


class Events:
    """The way out of one process. Nothing here raises when Redis is away: the rows are the truth."""

    def __init__(self, redis: Redis, namespace: str = "picture") -> None:
        self._wire = Wire(redis)
        self._outbox: list[tuple[str, bytes]] = []
        self._sent: asyncio.Future[None] | None = None  # of what is in it
        self._emptying: asyncio.Task[None] | None = None
        self._namespace = namespace
        self._paces: dict[tuple[UUID, float], _Pace] = {}
        self._failed_at: float | None = None

    async def publish(self, changed: Changed) -> None:
        """Tell what a committed change has done."""
        for interval in (PROGRESS_SECONDS, PREVIEW_SECONDS):
            pace = self._paces.pop((changed.row.id, interval), None)
            if pace and pace.timer:
                pace.timer.cancel()  # what waits is older than the change
        if changed.events:
            await asyncio.shield(self._send(self._channel(changed.row), news.encode_changes(changed)))
        if changed.row.is_public and any(event.kind is EventKind.COMPLETED for event in changed.events):
            await self.announce(topics.PUBLISHED, {"generation": changed.row.id})

    async def announce(self, topic: str, fact: dict[str, Any]) -> None:
        """Tell those who listen to `topic`, once what it is about is committed."""
        await asyncio.shield(self._send(topics.channel(self._namespace, topic), topics.encode(fact)))

    async def progress(
        self,
        row: GenerationRow,
        stage: GenerationStage,
        progress: float,
        *,
        step: int | None = None,
        steps: int | None = None,
        eta_seconds: float | None = None,
    ) -> None:
        """Tell how far the attempt of `row` is, 0 to below 1; at most four a second go out, the latest always."""
        message = news.encode_progress(row, stage, progress, step, steps, eta_seconds)
        await self._pace(row, PROGRESS_SECONDS, message)

    async def preview(self, row: GenerationRow, jpeg: bytes) -> None:
        """Show what the attempt of `row` has made so far; at most two a second go out, the latest always."""
        await self._pace(row, PREVIEW_SECONDS, news.encode_preview(row, jpeg))

    async def _pace(self, row: GenerationRow, interval: float, message: bytes) -> None:
        loop = asyncio.get_running_loop()
        key, now = (row.id, interval), loop.time()
        pace = self._paces.get(key)
        if pace is None:
            self._paces = {k: p for k, p in self._paces.items() if p.sent_at > now - FORGET_SECONDS}
            self._paces[key] = _Pace(now)
        elif now - pace.sent_at < interval or pace.waiting:
            pace.waiting = message
            pace.timer = pace.timer or loop.call_at(pace.sent_at + interval, self._flush, self._channel(row), pace)
            return
        else:
            pace.sent_at = now
        await asyncio.shield(self._send(self._channel(row), message))

    def _flush(self, channel: str, pace: _Pace) -> None:
        message, pace.waiting, pace.timer = pace.waiting, None, None
        pace.sent_at = asyncio.get_running_loop().time()
        if message:
            self._send(channel, message)

    def _channel(self, row: GenerationRow) -> str:
        return news.channel(self._namespace, row.user_id)

    def _send(self, channel: str, message: bytes) -> asyncio.Future[None]:
        """Have it sent in a moment, with all else of that moment and in the order of the calls. Done when it is."""
        self._outbox.append((channel, message))
        if self._sent is None:
            self._sent = asyncio.get_running_loop().create_future()
        sent = self._sent
        if self._emptying is None or self._emptying.done():
            self._emptying = asyncio.create_task(self._empty())
        return sent

    async def _empty(self) -> None:
        while self._sent:
            messages, self._outbox = self._outbox, []
            sent, self._sent = self._sent, None
            try:
                await self._publish(messages)
            finally:
                sent.set_result(None)

    async def _publish(self, messages: list[tuple[str, bytes]]) -> None:
        now = asyncio.get_running_loop().time()
        if self._failed_at is not None and now - self._failed_at < PUBLISH_SECONDS:
            return  # one try a second while it is away: those who listen read the rows
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                await self._wire.publish(messages)
        except REDIS_ERRORS as error:
            if self._failed_at is None:
                log.warning("redis_away", half="events", error=type(error).__name__)
            self._failed_at = asyncio.get_running_loop().time()
        else:
            if self._failed_at is not None:
                log.info("redis_back", half="events")
            self._failed_at = None
