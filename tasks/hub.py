"""Listening: one connection to Redis for all streams of a process, and the looks that make up for what it drops."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import structlog
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.utils import str_if_bytes

from db.database import Database
from db.queue import QueueRules
from tasks import news, topics
from tasks.events import REDIS_ERRORS
from tasks.listener import Listener, Wish
from tasks.topics import Topic
from tasks.watch import Watch

log = structlog.get_logger(__name__)

PING_SECONDS = 5.0
SILENT_SECONDS = 3 * PING_SECONDS  # pings are answered: a longer silence is a dead connection
PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)  # before connecting again; the last repeats
CANCEL_SECONDS = 0.1
CONFIRM_SECONDS = 1.0  # a stream waits no longer for Redis: it catches up when the subscription is there


class _Ear(Protocol):
    def hear(self, heard: Any, /) -> None: ...

    def fall_behind(self) -> None: ...


@dataclass(eq=False, slots=True)
class _Channel:
    decode: Callable[[bytes], Any]
    ears: set[_Ear] = field(default_factory=set)
    confirmed: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """Who listens here, by channel; subscribed to those and to no other."""

    def __init__(
        self,
        redis: Redis,
        watch: Watch,
        *,
        namespace: str,
        capacity: int,
        silence_seconds: float,
        event_hours: float,
    ) -> None:
        self.watch = watch
        self.event_hours = event_hours
        self._silence_seconds = silence_seconds
        self._redis = redis
        self._namespace = namespace
        self._capacity = capacity
        self._channels: dict[str, _Channel] = {}
        self._subscribed: set[str] = set()  # confirmed by Redis, and not since given up
        self._changed = asyncio.Event()
        self._is_away = False

    def listeners(self) -> Iterable[Listener]:
        """All of this process."""
        return [ear for channel in self._channels.values() for ear in channel.ears if isinstance(ear, Listener)]

    @asynccontextmanager
    async def attach(self, owner: UUID, wish: Wish) -> AsyncIterator[Listener]:
        """Hear of `owner`'s generations: what is published once this has been entered, is heard."""
        listener = Listener(owner, wish, self._capacity)
        async with self._hearing(news.channel(self._namespace, owner), news.decode, listener):
            listener.is_behind = False  # what comes next is its first look, and sees all until now
            yield listener

    @asynccontextmanager
    async def topic(self, name: str) -> AsyncIterator[Topic]:
        """Hear of `name`: what is announced once this has been entered, is heard, unless it is lost."""
        topic = Topic(self._capacity, self._silence_seconds)
        async with self._hearing(topics.channel(self._namespace, name), topics.decode, topic):
            topic.begin()
            yield topic

    @asynccontextmanager
    async def _hearing(self, name: str, decode: Callable[[bytes], Any], ear: _Ear) -> AsyncIterator[None]:
        """Subscribed to `name` while this is open, or at least on the way there."""
        channel = self._channels.setdefault(name, _Channel(decode))
        if name in self._subscribed:
            channel.confirmed.set()
        channel.ears.add(ear)
        self._changed.set()
        try:
            if not self._is_away:
                with suppress(TimeoutError):
                    async with asyncio.timeout(CONFIRM_SECONDS):
                        await channel.confirmed.wait()
            yield
        finally:
            channel.ears.discard(ear)
            if not channel.ears and self._channels.get(name) is channel:
                del self._channels[name]
                self._changed.set()

    async def run(self) -> None:
        """Keep connected, for ever."""
        failures = 0
        while True:
            try:
                await self._stay_connected()
            except* REDIS_ERRORS as errors:
                if not self._is_away:
                    log.warning("redis_away", half="hub", error=type(errors.exceptions[0]).__name__)
                    failures = 0
                self._is_away = True
            except* Exception:
                log.exception("hub_broke")  # a mistake of ours must not leave a process deaf
                self._is_away = True
            await asyncio.sleep(PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS) - 1)])
            failures += 1

    async def _stay_connected(self) -> None:
        pubsub = self._redis.pubsub()
        try:
            await pubsub.connect()  # type: ignore[no-untyped-call]
            if self._is_away:
                log.info("redis_back", half="hub")
            self._is_away = False
            async with asyncio.TaskGroup() as both:  # when one fails the other is cancelled
                both.create_task(self._ask(pubsub))
                both.create_task(self._hear(pubsub))
        finally:
            self._subscribed.clear()
            for channel in self._channels.values():
                channel.confirmed.clear()
            await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _ask(self, pubsub: PubSub) -> None:
        """Keep Redis told which channels are wanted; the only one who writes to it."""
        asked: set[str] = set()
        me = asyncio.current_task()
        while True:
            self._changed.clear()
            wanted = set(self._channels)
            if wanted - asked:
                await pubsub.subscribe(*(wanted - asked))
            if asked - wanted:
                self._subscribed -= asked - wanted
                await pubsub.unsubscribe(*(asked - wanted))
            asked = wanted
            if me and me.cancelling():
                return  # Python 3.11's wait_for, inside redis-py, may swallow a cancellation
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                await pubsub.ping()

    async def _hear(self, pubsub: PubSub) -> None:
        """Hand out what comes; the only one who reads from it."""
        while True:
            message = await pubsub.get_message(timeout=SILENT_SECONDS)
            if message is None:
                raise RedisConnectionError("Nothing heard, not even the answer to a ping.")
            if message["type"] == "message":
                self._deliver(str_if_bytes(message["channel"]), message["data"])
            elif message["type"] == "subscribe":
                self._confirm(str_if_bytes(message["channel"]))

    def _confirm(self, name: str) -> None:
        """From here on `name` is heard. Who has begun already may have missed something before."""
        if channel := self._channels.get(name):
            self._subscribed.add(name)
            channel.confirmed.set()
            for ear in channel.ears:
                ear.fall_behind()

    def _deliver(self, name: str, data: bytes) -> None:
        channel = self._channels.get(name)
        if channel is None:
            return
        try:
            heard = channel.decode(data)  # once, however many listen
        except (ValueError, KeyError, TypeError) as error:
            log.warning("news_unreadable", error=type(error).__name__)
            return  # a change shows as a missing number
        for ear in channel.ears:
            ear.hear(heard)


@asynccontextmanager
async def open_hub(
    redis: Redis,
    db: Database,
    rules: QueueRules,
    *,
    namespace: str = "picture",
    capacity: int = 256,
    silence_seconds: float = 3,
    queue_moved_seconds: float = 2,
    event_hours: float = 24,
) -> AsyncIterator[Hub]:
    """A hub that listens while this is open, over a connection of its own to where `redis` goes."""
    async with _without_retries(redis) as own:
        hub = Hub(
            own,
            Watch(db, rules),
            namespace=namespace,
            capacity=capacity,
            silence_seconds=silence_seconds,
            event_hours=event_hours,
        )
        running = [
            asyncio.create_task(hub.run()),
            asyncio.create_task(hub.watch.check_silence(hub.listeners, silence_seconds)),
            asyncio.create_task(hub.watch.tell_moves(hub.listeners, queue_moved_seconds)),
        ]
        for task in running:
            task.add_done_callback(_tell_death)
        try:
            yield hub
        finally:
            await _end(running)


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel them until they have ended; see `_ask`."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_SECONDS)


def _tell_death(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        log.critical("hub_died", exc_info=task.exception())


def _without_retries(redis: Redis) -> Redis:
    """A client like `redis`. Retries would hide that the connection was lost: then what was missed must be read."""
    pool = redis.connection_pool
    kwargs = {**pool.connection_kwargs, "retry": Retry(NoBackoff(), 0), "health_check_interval": 0}
    return Redis.from_pool(ConnectionPool(connection_class=pool.connection_class, **kwargs))
