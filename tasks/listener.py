"""What waits for one stream: every change in order, and only the latest of the rest."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

import structlog

from db.enums import GenerationStatus
from db.queue import Place
from db.tables import GenerationRow
from tasks.news import Change, Moved, Preview, Progress, now

log = structlog.get_logger(__name__)

Heard = Change | Progress | Moved | Preview
Tell = Callable[[Heard], bool]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a stream wants to hear: of one generation or all of its owner's, and what beside changes of status."""

    generation_id: UUID | None = None
    progress: bool = True
    previews: bool = False

    def is_of(self, id: UUID) -> bool:
        """Whether it wants to hear of this generation."""
        return self.generation_id is None or self.generation_id == id


class Listener:
    """One stream's end of the hub: `hear` puts in, `next` takes out.

    A stream that waits in `next` has what is heard told at once, in the hub's own turn: to wake its task, through eight
    generators, would be a third more. It wakes for what cannot be told so; then all that comes waits for it again.

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
        self._tell: Tell | None = None  # of who is asleep
        self._refused: Heard | None = None  # taken out, and still to be told before all else

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
        elif not self.wish.is_of(heard.id):
            return
        elif isinstance(heard, Progress):
            if not self.wish.progress:
                return
            self._progress[heard.id] = heard
        elif self.wish.previews:
            self._previews[heard.id] = heard
        else:
            return
        self._offer()

    def move(self, id: UUID, place: Place) -> None:
        """Take in where one that waits stands now."""
        if id not in self.places:
            return
        told, self.places[id] = self.places[id], place
        if told is None or (told.position, told.held_reason) != (place.position, place.held_reason):
            self._moves[id] = Moved(now(), self.known[id], place)
            self._offer()

    @property
    def unplaced(self) -> list[UUID]:
        """Those that wait and whose place the stream has not looked at yet."""
        return [id for id in self.known if id not in self.places and self._waits(id)] if self.wish.progress else []

    async def next(self, tell: Tell | None = None) -> Heard | None:
        """What the stream should tell next; None when it is behind and must read.

        What comes while it waits is given to `tell`, and returned only if that says that it has not told it.
        """
        while (heard := self._take()) is None and not self.is_behind:
            self._tell = tell
            self._asleep = asyncio.get_running_loop().create_future()  # an Event would be 1 KiB for each stream
            try:
                await self._asleep
            finally:
                self._tell = None  # which leads back to us
        return heard

    def _offer(self) -> None:
        """Have what has come told at once; who is awake, or cannot, takes it in its turn."""
        while self._is_asleep and (heard := self._take()):
            if not (self._tell and _is_told(heard, self._tell)):
                self._refused = heard
                self._wake()
        if self.is_behind:
            self._wake()

    @property
    def _is_asleep(self) -> bool:
        """Not from the moment when it is woken, or cancelled."""
        return self._asleep is not None and not self._asleep.done()

    def _wake(self) -> None:
        if self._asleep and not self._asleep.done():
            self._asleep.set_result(None)

    def _take(self) -> Heard | None:
        """The next of what waits; None when nothing does, or it is behind."""
        if self._refused:
            refused, self._refused = self._refused, None
            return refused
        if self._changes and not self.is_behind and (change := self._next_change()):
            return change
        return None if self.is_behind else self._latest()

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
            if self.wish.is_of(change.row.id):
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
        known = self.known.get(id)
        return known is not None and known.status == GenerationStatus.QUEUED


def _is_told(heard: Heard, tell: Tell) -> bool:
    try:
        return tell(heard)
    except Exception:
        log.exception("not_told_at_once")  # the stream's own task will meet it again; others wait behind us here
        return False
