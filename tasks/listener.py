"""What waits for one stream: every change in order, and only the latest of the rest."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from db.enums import GenerationStatus
from db.queue import Place
from db.tables import GenerationRow
from tasks.news import Change, Moved, Preview, Progress, now


@dataclass(frozen=True, slots=True)
class Wish:
    """What a stream wants to hear: of one generation or all of its owner's, and what beside changes of status."""

    generation_id: UUID | None = None
    progress: bool = True
    previews: bool = False


class Listener:
    """One stream's end of the hub: `hear` puts in, `next` takes out.

    However slow the stream, what waits is bounded: changes up to `capacity`, then they are forgotten and read
    from Postgres when it comes round; of progress, previews and moves the latest of each generation.
    """

    def __init__(self, owner: UUID, wish: Wish, capacity: int) -> None:
        self.owner = owner
        self.wish = wish
        self.position: int | None = None  # the number up to which the stream knows all; None before it has begun
        self.known: dict[UUID, GenerationRow] = {}  # those that have not ended, as the stream knows them
        self.places: dict[UUID, Place | None] = {}  # of those that wait: the place that the client was told last
        self.is_behind = False
        self._capacity = capacity
        self._changes: list[Change] = []  # few, mostly none; a deque would be 1 KiB
        self._progress: dict[UUID, Progress] = {}
        self._moves: dict[UUID, Moved] = {}
        self._previews: dict[UUID, Preview] = {}
        self._asleep: asyncio.Future[None] | None = None

    def begin(self, position: int, rows: Iterable[GenerationRow]) -> None:
        """Go on behind `position`; `rows` are all that had not ended then."""
        self.position = position
        self.known = {row.id: row for row in rows if not row.status.is_final}
        self.places = {id: place for id, place in self.places.items() if self._waits(id)}

    def fall_behind(self) -> None:
        """Read from Postgres before anything else: something may have been missed."""
        self.is_behind = True
        self._wake()

    def check(self, head: int) -> None:
        """Fall behind when the owner's newest number has not been heard of."""
        if self.position is not None and head > max(self.position, self._changes[-1].seq if self._changes else 0):
            self.fall_behind()

    def hear(self, heard: list[Change] | Progress | Preview) -> None:
        """Take in what came over Redis."""
        if isinstance(heard, list):
            self._changes.extend(heard)
            if len(self._changes) > self._capacity:
                self._changes.clear()
                self.fall_behind()
        elif self.wish.generation_id not in (None, heard.id):
            return
        elif isinstance(heard, Progress):
            if not self.wish.progress:
                return
            self._progress[heard.id] = heard
        elif self.wish.previews:
            self._previews[heard.id] = heard
        else:
            return
        self._wake()

    def move(self, id: UUID, place: Place) -> None:
        """Take in where one that waits stands now."""
        if id not in self.places:
            return
        told, self.places[id] = self.places[id], place
        if told is None or (told.position, told.held_reason) != (place.position, place.held_reason):
            self._moves[id] = Moved(now(), self.known[id], place)
            self._wake()

    @property
    def unplaced(self) -> list[UUID]:
        """Those that wait and whose place the stream has not looked at yet."""
        return [id for id in self.known if id not in self.places and self._waits(id)] if self.wish.progress else []

    async def next(self) -> Change | Progress | Moved | Preview | None:
        """What the stream should tell next; None when it is behind and must read."""
        while True:
            if self.is_behind:
                return None
            if (change := self._next_change()) or self.is_behind:
                return change
            if latest := self._latest():
                return latest
            self._asleep = asyncio.get_running_loop().create_future()  # an Event would be 1 KiB for each stream
            await self._asleep

    def _wake(self) -> None:
        if self._asleep and not self._asleep.done():
            self._asleep.set_result(None)

    def _next_change(self) -> Change | None:
        assert self.position is not None, "a stream begins before it goes on"
        while self._changes:
            change = self._changes[0]
            if change.seq > self.position + 1:
                self.is_behind = True  # what is missing comes first; this one is read with it
                return None
            del self._changes[0]
            if change.seq <= self.position:
                continue
            self.position = change.seq
            if self.wish.generation_id in (None, change.row.id):
                self._note(change.row)
                return change
        return None

    def _note(self, row: GenerationRow) -> None:
        if row.status.is_final:
            self.known.pop(row.id, None)
        else:
            self.known[row.id] = row
        if not self._waits(row.id):
            self.places.pop(row.id, None)

    def _latest(self) -> Progress | Moved | Preview | None:
        """Progress before moves before previews: who is slow loses previews first. What is late is dropped."""
        while self._progress:
            progress = self._progress.pop(next(iter(self._progress)))
            if self._runs(progress):
                return progress
        while self._moves:
            id, moved = next(iter(self._moves.items()))
            del self._moves[id]
            if self._waits(id):
                return moved
        while self._previews:
            preview = self._previews.pop(next(iter(self._previews)))
            if self._runs(preview):
                return preview
        return None

    def _runs(self, heard: Progress | Preview) -> bool:
        """Whether its attempt is the one that the stream knows to be running."""
        known = self.known.get(heard.id)
        return known is not None and known.attempt == heard.attempt and known.status == GenerationStatus.PROCESSING

    def _waits(self, id: UUID) -> bool:
        return id in self.known and self.known[id].status == GenerationStatus.QUEUED
