"""Following a person's generations: attach, then read, then tell only what is newer; nothing twice, no gap."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self
from uuid import UUID

from db import events, loaders
from db.claims import Claims
from db.database import Database
from db.errors import BadRequestError
from db.tables import GenerationRow
from tasks.hub import Hub
from tasks.listener import Heard, Listener, Wish
from tasks.news import Change, News, Preview, Progress, Snapshot, now
from tasks.watch import POSTGRES_ERRORS

PAGE_COUNT = 500  # events read at once
PORTION = 16  # told in one turn of the loop, of all streams together
RETRY_SECONDS = 1.0  # between looks while Postgres is away


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in one person's events: behind the change `seq`, which was the newest at `at`."""

    owner: UUID
    seq: int
    at: datetime

    def encode(self) -> str:
        """Opaque to clients; the first word is the version of the form."""
        return _encode(f"1 {self.owner.hex} {self.seq} {int(self.at.timestamp())}")

    @classmethod
    def parse(cls, text: str, owner: UUID) -> Self | None:
        """The place that `encode` wrote for `owner`; None for the beginning, and for what is no cursor of theirs."""
        try:
            version, whose, seq, at = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split(" ")
            is_theirs = (version, whose) == ("1", owner.hex)
            return cls(owner, int(seq), datetime.fromtimestamp(int(at), tz=UTC)) if is_theirs else None
        except (ValueError, OverflowError, OSError):
            return None


def beginning(owner: UUID) -> str:
    """The cursor that asks for the snapshots again: a start may break in its middle."""
    return _encode(f"1 {owner.hex} -")


def _encode(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


class Told(NamedTuple):
    """One thing to tell, of which generation, and where to resume behind it."""

    cursor: str
    news: News
    row: GenerationRow  # as it was before progress


TellNow = Callable[[Told], bool]


async def follow(
    hub: Hub, db: Database, claims: Claims, wish: Wish, after: str | None, tell_now: TellNow
) -> AsyncGenerator[Told | None, None]:
    """None once the stream has begun, then what is to tell, without a database session while it waits.

    While it waits, `tell_now` is given what takes no waiting; that, and only that, of which it says true is told.
    Raises BadRequestError when the generation asked for is not there. One generation's stream ends with it.
    """
    assert claims.sub, "only a person has generations"
    async with hub.attach(claims.sub, wish) as listener:
        stream = _Stream(hub, db, claims, listener, tell_now)
        async with hub.beginning(claims.sub):
            batch, is_over = await stream.begin(after)
        yield None
        while True:
            for number, told in enumerate(batch):
                if len(batch) > 1 and not number % PORTION:
                    async with hub.portions:  # telling waits for nothing, and would leave nobody else a turn
                        await asyncio.sleep(0)
                yield told
            if is_over:
                return
            batch, is_over = await stream.go_on()


@dataclass
class _Stream:
    hub: Hub
    db: Database
    claims: Claims
    listener: Listener
    tell_now: TellNow
    at: datetime = field(default_factory=now)  # when the listener's position was the newest
    told_at: tuple[int, datetime] | None = None  # the position of `cursor`
    cursor: str = ""

    async def begin(self, after: str | None) -> tuple[list[Told], bool]:
        """Attached before, so from here on nothing is missed: the snapshots, or nothing yet when it resumes."""
        wish, listener = self.listener.wish, self.listener
        cursor = Cursor.parse(after, listener.owner) if after else None
        head, rows = await events.snapshot(self.db, self.claims, listener.owner, wish.generation_id)
        if cursor and self._may_resume(cursor, head):
            self.at = cursor.at
            listener.begin(cursor.seq, rows)
            listener.fall_behind()
            return [], bool(wish.generation_id and not rows)  # deleted since
        if wish.generation_id and not rows:
            raise BadRequestError("There is no such generation.", path=("id",))
        self.at = now()
        listener.begin(head, rows)
        await self._look_at_places()
        cursors = [beginning(listener.owner)] * (len(rows) - 1) + [self._cursor()]
        told = [Told(cursor, Snapshot(self.at, row), row) for cursor, row in zip(cursors, rows, strict=False)]
        return told, self._is_over(rows)

    async def go_on(self) -> tuple[list[Told], bool]:
        """What comes next, as soon as there is something; and whether the stream ends behind it."""
        news = await self.listener.next(self._is_told_now)
        if news is None:
            try:
                return await self._catch_up()
            except POSTGRES_ERRORS:
                self.listener.fall_behind()
                await asyncio.sleep(RETRY_SECONDS)
                return [], False
        if isinstance(news, Change):
            self.at = news.at
            await self._look_at_places()
        return [self._told(news)], self._is_last(news)

    def _is_told_now(self, news: Heard) -> bool:
        """Whether it has been told without waiting, and the stream goes on behind it."""
        if isinstance(news, Change):
            if self._is_last(news) or self.listener.unplaced:
                return False
            self.at = news.at
        return self.tell_now(self._told(news))

    def _told(self, news: Heard) -> Told:
        row = self.listener.known[news.id] if isinstance(news, Progress | Preview) else news.row
        return Told(self._cursor(), news, row)

    def _is_last(self, news: Heard) -> bool:
        return isinstance(news, Change) and news.is_final and self.listener.wish.generation_id is not None

    async def _catch_up(self) -> tuple[list[Told], bool]:
        """The changes behind the listener's position, from Postgres, at most PAGE_COUNT."""
        listener, id = self.listener, self.listener.wish.generation_id
        assert listener.position is not None
        listener.is_behind = False  # before reading: what is missed from here on counts again
        head, rows = await events.snapshot(self.db, self.claims, listener.owner, id)
        async with self.db.as_user(self.claims) as session:
            found = await events.after(session, listener.owner, listener.position, PAGE_COUNT)
        is_cut = len(found) == PAGE_COUNT and found[-1].seq < head
        # Later ones are newer than `rows`. They come over Redis, or show as missing.
        missed = [event for event in found if event.seq <= head and id in (None, event.generation_id)]
        current = await self._current(rows, {event.generation_id for event in missed})
        self.at = found[-1].created_at if is_cut else now()
        listener.begin(found[-1].seq if is_cut else head, rows)
        if is_cut:
            listener.fall_behind()
        await self._look_at_places()
        told = [
            Told(Cursor(event.user_id, event.seq, event.created_at).encode(), Change.of(event, row), row)
            for event in missed
            if (row := current.get(event.generation_id))
        ]
        return told, not is_cut and self._is_over(rows)

    async def _current(self, rows: list[GenerationRow], ids: set[UUID]) -> dict[UUID, GenerationRow]:
        """Those of `ids` that are still there, as they are now."""
        current = {row.id: row for row in rows}
        if missing := list(ids - current.keys()):
            loaded = await loaders.by_id(self.db, self.claims, GenerationRow, missing)
            current |= {row.id: row for row in loaded if row}
        return current

    async def _look_at_places(self) -> None:
        """Before one that waits is told: what the client may read with it is what later moves are measured by."""
        if ids := self.listener.unplaced:
            places = await self.hub.watch.places(ids)
            self.listener.places |= {id: places.get(id) for id in ids}

    def _may_resume(self, cursor: Cursor, head: int) -> bool:
        """Whether all behind `cursor` is still there. What is newer than `head` is of another database."""
        is_kept = now() - cursor.at < timedelta(hours=self.hub.event_hours)
        return cursor.seq == head or (cursor.seq < head and is_kept)

    def _is_over(self, rows: list[GenerationRow]) -> bool:
        """A stream of one generation has nothing more to tell when that has ended or is gone."""
        return self.listener.wish.generation_id is not None and all(row.status.is_final for row in rows)

    def _cursor(self) -> str:
        """Of the listener's position; most of what is told leaves it where it was."""
        position = self.listener.position
        assert position is not None
        if self.told_at != (position, self.at):
            self.told_at, self.cursor = (position, self.at), Cursor(self.listener.owner, position, self.at).encode()
        return self.cursor
