"""What goes over the wire between those who change generations and those who listen."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from types import UnionType
from typing import Any, get_args
from uuid import UUID

import orjson
from sqlalchemy.orm.attributes import manager_of_class

from db.enums import EventKind, GenerationStage
from db.events import Changed
from db.queue import Place
from db.tables import EventRow, GenerationRow

Convert = Callable[[Any], Any]


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
    """How far an attempt is; `row` says the same."""

    at: datetime
    row: GenerationRow
    stage: GenerationStage
    progress: float
    step: int | None = None
    steps: int | None = None
    eta_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Preview(Heard):
    """What the picture looks like so far: a JPEG as base64."""

    at: datetime
    row: GenerationRow
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
    return _encode({"events": events, "row": _dump(changed.row)})


def encode_progress(
    row: GenerationRow,
    stage: GenerationStage,
    progress: float,
    step: int | None = None,
    steps: int | None = None,
    eta_seconds: float | None = None,
) -> bytes:
    """Progress of the attempt that `row` names; it goes out with the row brought up to it."""
    dump = {**_dump(row), "stage": stage, "progress": progress}
    return _encode({"progress": [now(), step, steps, eta_seconds], "row": dump})


def encode_preview(row: GenerationRow, jpeg: bytes) -> bytes:
    """A preview, already in the form in which clients get it."""
    return _encode({"preview": [now(), base64.b64encode(jpeg).decode()], "row": _dump(row)})


def decode(message: bytes | str) -> list[Change] | Progress | Preview:
    """What one message says. Raises ValueError, KeyError or TypeError when a release of another form sent it."""
    said = orjson.loads(message)
    row = _load(said["row"])
    if "events" in said:
        return [
            Change(seq, EventKind(kind), datetime.fromisoformat(at), row, will_retry, failure)
            for seq, kind, at, will_retry, failure in said["events"]
        ]
    if "preview" in said:
        at, jpeg = said["preview"]
        return Preview(datetime.fromisoformat(at), row, jpeg)
    at, step, steps, eta_seconds = said["progress"]
    stage = row.stage or GenerationStage.PREPARING
    return Progress(datetime.fromisoformat(at), row, stage, row.progress, step, steps, eta_seconds)


def _encode(message: dict[str, Any]) -> bytes:
    return orjson.dumps(message, default=str)


def _dump(row: GenerationRow) -> dict[str, Any]:
    values = vars(row)  # past SQLAlchemy's attributes: 48 of them take longer than all the rest
    return {name: values[name] for name in GenerationRow.model_fields}


def _load(values: dict[str, Any]) -> GenerationRow:
    """A row that belongs to no session. Made as the ORM makes those that it reads: 10 µs, by pydantic 160."""
    if values.keys() != GenerationRow.model_fields.keys():
        raise KeyError("A row of another release.")
    for name, convert in _CONVERTS.items():
        if (value := values[name]) is not None:
            values[name] = convert(value)
    row: GenerationRow = manager_of_class(GenerationRow).new_instance()
    row.__dict__.update(values)
    return row


def _convert(annotation: Any) -> Convert | None:
    """How a column's value comes back from JSON; None when it comes back as it was."""
    types = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    type_ = next(t for t in types if t is not type(None))
    if type_ is datetime:
        return datetime.fromisoformat
    if type_ in (UUID, Decimal, float) or (isinstance(type_, type) and issubclass(type_, StrEnum)):
        return type_  # type: ignore[no-any-return]
    return None


_CONVERTS = {
    name: convert
    for name, column in GenerationRow.model_fields.items()
    if (convert := _convert(column.annotation)) is not None
}
