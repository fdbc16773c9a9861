"""Listening: one connection to Redis for all streams of a process, and the looks that make up for what it drops."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID
from weakref import WeakValueDictionary

import structlog
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.maint_notifications import MaintNotificationsConfig
from redis.utils import str_if_bytes

from db.database import Database
from db.queue import QueueRules
from tasks import news, topics
from tasks.events import REDIS_ERRORS
from tasks.listener import Listener, Wish
from tasks.topics import Topic
from tasks.watch import Watch

log = structlog.get_logger(__name__)

PING_SECONDS = 5.0  # pings are answered: when nothing came since the last, the connection is dead
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
    confirmed: asyncio.Event | None = None  # while somebody waits for Redis


class Hub:
    """Who listens here, by channel; subscribed to those and to no other."""

    def __init__(
        self,
        pool: ConnectionPool,
        watch: Watch,
        *,
        namespace: str,
        capacity: int,
        silence_seconds: float,
        event_hours: float,
    ) -> None:
        self.watch = watch
        self.event_hours = event_hours
        self.portions = asyncio.Lock()  # of streams that have much to tell at once, one after the other
        self._beginning: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._silence_seconds = silence_seconds
        self._pool = pool
        self._namespace = namespace
        self._capacity = capacity
        self._channels: dict[str, _Channel] = {}
        self._subscribed: set[str] = set()  # confirmed by Redis, and not since given up
        self._changed = asyncio.Event()
        self._is_away = False
        self._has_heard = True  # since the last ping

    def listeners(self) -> Iterable[Listener]:
        """All of this process."""
        return [ear for channel in self._channels.values() for ear in channel.ears if isinstance(ear, Listener)]

    def beginning(self, owner: UUID) -> asyncio.Lock:
        """Held by the one of `owner`'s streams that begins: each reads all that is open, which may be hundreds."""
        return self._beginning.setdefault(owner, asyncio.Lock())

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
        channel.ears.add(ear)
        self._changed.set()
        try:
            if name not in self._subscribed and not self._is_away:
                channel.confirmed = channel.confirmed or asyncio.Event()
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
        connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            self._has_heard = True
            if self._is_away:
                log.info("redis_back", half="hub")
            self._is_away = False
            async with asyncio.TaskGroup() as both:  # when one fails the other is cancelled
                both.create_task(self._ask(connection))
                both.create_task(self._hear(connection))
        finally:
            self._subscribed.clear()
            await connection.disconnect(nowait=True)

    async def _ask(self, connection: AbstractConnection) -> None:
        """Keep Redis told which channels are wanted; the only one who writes to it."""
        asked: set[str] = set()
        me, loop = asyncio.current_task(), asyncio.get_running_loop()
        ping_at = loop.time() + PING_SECONDS
        while True:
            self._changed.clear()
            wanted = set(self._channels)
            if wanted - asked:
                await connection.send_command("SUBSCRIBE", *(wanted - asked))
            if asked - wanted:
                self._subscribed -= asked - wanted
                await connection.send_command("UNSUBSCRIBE", *(asked - wanted))
            asked = wanted
            if me and me.cancelling():
                return  # Python 3.11's wait_for, inside redis-py, may swallow a cancellation
            try:
                async with asyncio.timeout_at(ping_at):
                    await self._changed.wait()
            except TimeoutError:
                if not self._has_heard:
                    raise RedisConnectionError("Nothing heard, not even the answer to a ping.") from None
                self._has_heard = False
                ping_at = loop.time() + PING_SECONDS
                await connection.send_command("PING")

    async def _hear(self, connection: AbstractConnection) -> None:
        """Hand out what comes; the only one who reads from it."""
        while True:
            kind, *said = await connection.read_response(timeout=math.inf)  # `_ask` sees that it does not come
            self._has_heard = True
            if kind == b"message":
                self._deliver(str_if_bytes(said[0]), said[1])
            elif kind == b"subscribe":
                self._confirm(str_if_bytes(said[0]))

    def _confirm(self, name: str) -> None:
        """From here on `name` is heard. Who has begun already may have missed something before."""
        if channel := self._channels.get(name):
            self._subscribed.add(name)
            if channel.confirmed:
                channel.confirmed.set()
                channel.confirmed = None
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
    hub = Hub(
        _plain(redis),
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


def _plain(redis: Redis) -> ConnectionPool:
    """Connections like those of `redis`, but for two things.

    Retries would hide that one was lost: then what was missed must be read. And of RESP3's pushes the client writes
    each as text for its debug log, whether there is one or not: half the price of hearing it.
    """
    own = {
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 0,
        "protocol": 2,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),  # would be pushes
    }
    pool = redis.connection_pool
    return ConnectionPool(connection_class=pool.connection_class, **{**pool.connection_kwargs, **own})
