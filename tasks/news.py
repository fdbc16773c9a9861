"""What goes over the wire between those who change generations and those who listen."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from db import records
from db.enums import EventKind, GenerationStage
from db.events import Changed
from db.queue import Place
from db.tables import EventRow, GenerationRow


@dataclass(frozen=True, slots=True)
class Heard:
    """What all who hear of the same thing may share of it."""

    shared: dict[object, Any] = field(default_factory=dict, init=False, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Change(Heard):
    """A change of status: the number `seq` of its owner's."""

    seq: int
    kind: EventKind
    at: datetime
    row: GenerationRow
    will_retry: bool = False
    failure: dict[str, Any] | None = None

    @classmethod
    def of(cls, event: EventRow, row: GenerationRow) -> "Change":
        """The change that `event` records, of `row` as it is now."""
        return cls(event.seq, event.kind, event.created_at, row, event.will_retry, event.failure)

    @property
    def is_final(self) -> bool:
        """Whether nothing follows for this generation."""
        if self.kind is EventKind.FAILED:
            return not self.will_retry
        return self.kind in {EventKind.COMPLETED, EventKind.CANCELED}


@dataclass(frozen=True, slots=True)
class Progress(Heard):
    """How far an attempt is."""

    at: datetime
    id: UUID
    attempt: int
    stage: GenerationStage
    progress: float
    step: int | None = None
    steps: int | None = None
    eta_seconds: float | None = None

    def applied(self, row: GenerationRow) -> GenerationRow:
        """The row of the attempt, brought up to this: a copy to read from, which is no news to the ORM."""
        return records.copy(row, stage=self.stage, progress=self.progress)


@dataclass(frozen=True, slots=True)
class Preview(Heard):
    """What the picture looks like so far: a JPEG as base64."""

    at: datetime
    id: UUID
    attempt: int
    jpeg: str


@dataclass(frozen=True, slots=True)
class Moved(Heard):
    """Another place in the queue, or another reason to wait."""

    at: datetime
    row: GenerationRow
    place: Place


@dataclass(frozen=True, slots=True)
class Snapshot(Heard):
    """A generation as it was when the stream began."""

    at: datetime
    row: GenerationRow


News = Snapshot | Change | Progress | Preview | Moved


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)


def channel(namespace: str, owner: UUID) -> str:
    """Where the news of one person's generations goes out."""
    return f"{namespace}:events:{owner}"


def encode_changes(changed: Changed) -> bytes:
    """All that one transaction did to one generation, as one message: nobody hears half of it."""
    events = [[e.seq, e.kind, e.created_at, e.will_retry, e.failure] for e in changed.events]
    return _encode({"events": events, "row": records.dump(changed.row)})


def encode_progress(
    row: GenerationRow,
    stage: GenerationStage,
    progress: float,
    step: int | None = None,
    steps: int | None = None,
    eta_seconds: float | None = None,
) -> bytes:
    """Progress of the attempt that `row` names; who listens knows the rest of the row."""
    return _encode({"progress": [now(), row.id, row.attempt, stage, progress, step, steps, eta_seconds]})


def encode_preview(row: GenerationRow, jpeg: bytes) -> bytes:
    """A preview, already in the form in which clients get it."""
    return _encode({"preview": [now(), row.id, row.attempt, base64.b64encode(jpeg).decode()]})


# A member by its value: to call the enum takes ten times as long.
STAGES = {stage.value: stage for stage in GenerationStage}
KINDS = {kind.value: kind for kind in EventKind}


def decode(message: bytes | str) -> list[Change] | Progress | Preview:
    """What one message says. Raises ValueError, KeyError or TypeError when a release of another form sent it."""
    said = orjson.loads(message)
    if "progress" in said:
        at, id, attempt, stage, *rest = said["progress"]
        return Progress(datetime.fromisoformat(at), records.uuid(id), attempt, STAGES[stage], *rest)
    if "preview" in said:
        at, id, attempt, jpeg = said["preview"]
        return Preview(datetime.fromisoformat(at), records.uuid(id), attempt, jpeg)
    row = records.load(said["row"])
    return [
        Change(seq, KINDS[kind], datetime.fromisoformat(at), row, will_retry, failure)
        for seq, kind, at, will_retry, failure in said["events"]
    ]


def _encode(message: dict[str, Any]) -> bytes:
    return orjson.dumps(message, default=str)
