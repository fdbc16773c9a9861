"""One run inside a ComfyUI, followed to its end.

Events tell of it at once. When they cannot (the socket is lost, or silent, or was another process's), the queue and
then the history are looked at, and only what they show ends the run:

| running | waiting | history     | then                                                                      |
|---------|---------|-------------|---------------------------------------------------------------------------|
| yes     |         |             | go on                                                                     |
| no      | yes     | an entry    | our post arrived twice: withdraw the one that waits, take the entry       |
| no      | yes     | none        | go on; nothing running at all, for some seconds: its worker thread is dead |
| no      | no      | an entry    | it says how the run ended                                                 |
| no      | no      | none        | canceled by us while it waited; else lost, with a restart                 |
| no answer |       |             | ask again, for a minute                                                   |
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Set
from contextlib import suppress
from typing import NoReturn
from uuid import UUID

from gpu import wire
from gpu.course import Course
from gpu.engine import Finished, Graph, News, Previewed
from gpu.errors import BrokenOffError, EngineUnavailableError, InterruptedRunError, LostRunError, TimedOutError
from gpu.listener import Link, Listener
from gpu.patience import Patience
from gpu.previews import shrink
from gpu.server import Server

_POSTS = 3
_RETRY_SECONDS = 0.5
_PREVIEW_SECONDS = 0.5  # nobody is shown more, and each costs some ms of CPU
_ENDING_SECONDS = 0.1  # the history lags the last event by up to 0.9 s


class Run:
    """One prompt. Submit or adopt it, then iterate, once; ends after Finished, or raises an EngineError."""

    def __init__(
        self, prompt_id: UUID, server: Server, listener: Listener, patience: Patience, canceled: Set[str]
    ) -> None:
        self._id = str(prompt_id)
        self._server = server
        self._listener = listener
        self._patience = patience
        self._canceled = canceled
        self._course = Course({})
        self._link: Link | None = None
        self._inbox: deque[wire.Event] = deque()
        self._preview: bytes | None = None
        self._preview_at = 0.0
        self._wants_previews = False
        self._news = asyncio.Event()
        self._must_look = False
        self._began_at = self._heard_at = self._looked_at = time.monotonic()
        self._idle_since: float | None = None
        self._down_since: float | None = None

    def hear(self, event: wire.Event) -> None:
        """Take an event from the socket; never waits."""
        self._heard_at = time.monotonic()
        if not isinstance(event, wire.Preview):
            self._inbox.append(event)
        elif self._wants_previews:
            self._preview = event.image  # one that nobody had time for is overtaken
        self._news.set()

    def nudge(self) -> None:
        """Something happened that no event tells: look."""
        self._must_look = True
        self._news.set()

    async def submit(self, graph: Graph, *, previews: bool) -> None:
        """Queue `graph`, once. Raises EngineError when it is refused, or the engine stays away."""
        self._begin(graph)
        self._wants_previews = previews
        await self._post(graph)
        if self._is_canceled:
            await self._server.cancel(self._id)  # asked for while the post was on its way, so it found nothing

    async def adopt(self) -> bool:
        """Follow a run that an earlier process posted, if the engine has it waiting, running or ended."""
        sighting = await self._look_patiently()
        if sighting.is_known:
            self._begin(sighting.graph or (sighting.outcome.graph if sighting.outcome else {}))
            self.nudge()  # its events go to a socket that is gone
        return sighting.is_known

    async def __aiter__(self) -> AsyncIterator[News]:
        """What happens, as it happens; see the class."""
        while True:
            await self._wait()
            async for news in self._due():
                yield news
                if isinstance(news, Finished):
                    return
            await self._check_time()

    async def _due(self) -> AsyncIterator[News]:
        while self._inbox:
            self._idle_since = None
            for news in self._course.heard(self._inbox.popleft(), is_canceled=self._is_canceled):
                yield news
        if self._preview is not None and time.monotonic() >= self._preview_at:
            image, self._preview = self._preview, None
            self._preview_at = time.monotonic() + _PREVIEW_SECONDS
            jpeg = await asyncio.to_thread(shrink, image)
            if jpeg is not None:
                yield Previewed(jpeg)
        if time.monotonic() >= self._look_at():
            for news in await self._reconcile():
                yield news

    def _begin(self, graph: Graph) -> None:
        self._course = Course(graph)
        self._began_at = self._heard_at = self._looked_at = time.monotonic()

    @property
    def _is_canceled(self) -> bool:
        return self._id in self._canceled

    @property
    def _is_blind(self) -> bool:
        return self._link is None or not self._link.is_alive

    # ── Posting ────────────────────────────────────────────────────────────

    async def _post(self, graph: Graph) -> None:
        posts = 0
        while not self._is_canceled:
            self._link = await self._listener.link(self._patience.link_seconds)
            client_id = self._link.client_id if self._link else self._id  # without one, its events would go to all
            try:
                await self._server.post_prompt(self._id, graph, client_id=client_id, previews=self._wants_previews)
                return
            except BrokenOffError:
                posts += 1
                if await self._has_arrived():
                    return
                if posts == _POSTS:
                    raise
            except EngineUnavailableError:
                if time.monotonic() - self._began_at > self._patience.unreachable_seconds:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
        raise InterruptedRunError(by_us=True)

    async def _has_arrived(self) -> bool:
        """Whether a post that broke off was taken: its first event says so, or a look some time later."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience.settle_seconds):
                while not self._inbox:
                    self._news.clear()
                    await self._news.wait()
        return bool(self._inbox) or (await self._look_patiently()).is_known

    async def _look_patiently(self) -> wire.Sighting:
        began_at = time.monotonic()
        while True:
            try:
                return await self._server.look(self._id)
            except EngineUnavailableError:
                if time.monotonic() - began_at > self._patience.unreachable_seconds:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)

    # ── Waiting ────────────────────────────────────────────────────────────

    async def _wait(self) -> None:
        if self._inbox:
            return
        self._news.clear()
        due_at = self._look_at() if self._preview is None else min(self._look_at(), self._preview_at)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(due_at - time.monotonic(), 0)):
                await self._news.wait()

    def _look_at(self) -> float:
        """When the next look is due."""
        if self._must_look:
            return 0
        if self._course.is_ending:
            return self._looked_at + _ENDING_SECONDS
        if self._is_blind or self._down_since is not None:
            return self._looked_at + self._patience.poll_seconds
        return max(self._heard_at, self._looked_at) + self._patience.silence_seconds

    async def _check_time(self) -> None:
        now = time.monotonic()
        if now - self._began_at > self._patience.attempt_timeout_seconds:
            await self._give_up(TimedOutError("The attempt took too long."))
        # without a socket nobody can see progress: then only the whole attempt is timed
        if not self._is_blind and now - self._heard_at > self._patience.progress_timeout_seconds:
            await self._give_up(TimedOutError())

    async def _give_up(self, error: TimedOutError) -> NoReturn:
        with suppress(EngineUnavailableError):
            await self._server.cancel(self._id)  # or the next run waits behind it
        raise error

    # ── Looking ────────────────────────────────────────────────────────────

    async def _reconcile(self) -> list[News]:
        self._must_look = False
        self._looked_at = time.monotonic()
        try:
            sighting = await self._server.look(self._id)
        except EngineUnavailableError:
            self._down_since = self._down_since or self._looked_at
            if self._looked_at - self._down_since > self._patience.unreachable_seconds:
                raise
            return []
        self._down_since = None
        if not sighting.pending:
            self._idle_since = None
        if sighting.running:
            return self._course.started()
        if sighting.outcome is not None:
            return [await self._ended(sighting, sighting.outcome)]
        if sighting.pending:
            self._waits(sighting)
            return []
        if self._is_canceled:
            raise InterruptedRunError(by_us=True)  # one deleted while it waited leaves no trace
        raise LostRunError

    def _waits(self, sighting: wire.Sighting) -> None:
        now = time.monotonic()
        if not sighting.is_idle:
            self._idle_since = None
            self._heard_at = now  # waiting for another's run is no silence
        elif self._idle_since is None:
            self._idle_since = now
        elif now - self._idle_since >= self._patience.dead_worker_seconds:
            sentence = "The engine takes no work any more and has to be restarted."
            raise EngineUnavailableError(sentence, restart_needed=True, detail="prompts wait and none runs")

    async def _ended(self, sighting: wire.Sighting, outcome: wire.Outcome) -> Finished:
        if sighting.pending:
            await self._server.withdraw(self._id)
        if not (self._is_blind or self._course.is_ending or self._inbox):
            self._listener.renew()  # it ended and no event said so: the socket is deaf
        return self._course.ended(outcome, is_canceled=self._is_canceled)
