"""Waking the workers: a message says no more than that there is work, so one does for many."""

import asyncio
import time

import dramatiq
import structlog
from dramatiq.brokers.redis import RedisBroker

log = structlog.get_logger(__name__)

UPKEEP = "upkeep"
UPLOADS = "uploads"
ACTORS = {UPKEEP: "tidy", UPLOADS: "process_upload"}  # every other queue is an engine's
GENERATE = "generate"
BROKER_SECONDS = 2.0
SHARE_SECONDS = 0.005  # commits this close together share one message …
PAUSE_SECONDS = 0.03  # … and so do those that come this soon after one: it takes 0.25 ms of CPU


class Queue:
    """The way to the workers. It never raises: a message that is lost is made up for by the sweep."""

    def __init__(self, broker: RedisBroker) -> None:
        self._broker = broker
        self._waking: dict[str, asyncio.Task[None]] = {}
        self._woken_at: dict[str, float] = {}
        self._is_away = False

    @classmethod
    def connect(cls, url: str, namespace: str) -> "Queue":
        """A queue at `url`; nothing is opened before the first message."""
        timeouts = {"socket_timeout": BROKER_SECONDS, "socket_connect_timeout": BROKER_SECONDS}
        broker = RedisBroker(url=url, namespace=namespace, middleware=[], **timeouts)  # type: ignore[no-untyped-call]
        return cls(broker)

    async def wake(self, *queues: str) -> None:
        """Tell the workers of these queues that there is work, in a moment; call it after the commit."""
        for queue in queues:
            if queue not in self._waking:
                task = asyncio.create_task(self._send(queue))
                self._waking[queue] = task

    async def _send(self, queue: str) -> None:
        now = time.monotonic()
        await asyncio.sleep(max(SHARE_SECONDS, self._woken_at.get(queue, 0.0) + PAUSE_SECONDS - now))
        self._woken_at[queue] = time.monotonic()
        del self._waking[queue]
        message: dramatiq.Message[None] = dramatiq.Message(
            queue_name=queue, actor_name=ACTORS.get(queue, GENERATE), args=(), kwargs={}, options={}
        )
        try:
            await asyncio.to_thread(self._broker.enqueue, message)
        except Exception as error:  # noqa: BLE001  # the broker wraps what Redis says in several ways
            if not self._is_away:
                log.warning("redis_away", half="queue", error=type(error).__name__)
            self._is_away = True
        else:
            self._is_away = False

    async def close(self) -> None:
        """Send what waits, then hang up."""
        await asyncio.gather(*self._waking.values())
        await asyncio.to_thread(self._broker.close)


def engine_queue(engine: str) -> str:
    """The queue that the workers of one engine listen to."""
    return f"gpu.{engine}"
