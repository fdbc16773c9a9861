"""What rows lead to, for many at once: all that is asked for, whatever it is, by one statement in one round trip."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlmodel import SQLModel

from db.claims import Claims
from db.database import Database
from db.rows import Plain

T = TypeVar("T")
V = TypeVar("V")
Row = TypeVar("Row", bound=SQLModel)
Columns = tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours(Generic[V]):
    """What each of some keys leads to."""

    rows: str  # select row(…) from … where … = any ({keys}::uuid[])
    collect: Callable[[Iterable[Columns]], Mapping[UUID, V]]
    absent: V  # where there is none, or none to see


Asked = Mapping[Neighbours[Any], Collection[UUID]]
Found = Mapping[Neighbours[Any], Mapping[UUID, Any]]


async def read(db: Database, claims: Claims, asked: Asked) -> Found:
    """What the caller may see of it, for each key."""
    kinds = sorted(asked, key=lambda kind: kind.rows)  # one statement for the same kinds
    parts = [f"array({kind.rows.replace('{keys}', f'{{keys_{place}}}')})" for place, kind in enumerate(kinds)]
    keys = {f"keys_{place}": list(asked[kind]) for place, kind in enumerate(kinds)}
    answers = await db.direct.read_all(parts, claims, keys)
    return {kind: _each(kind, asked[kind], rows) for kind, rows in zip(kinds, answers, strict=True)}


def _each(kind: Neighbours[V], keys: Iterable[UUID], rows: Iterable[Columns]) -> Mapping[UUID, V]:
    found = kind.collect(rows)
    return {key: found.get(key, kind.absent) for key in keys}


def by_id(plain: Plain[Row]) -> Neighbours[Row | None]:
    """The row of each id."""
    rows = f"select row({plain.columns('t')}) from {plain.table} t where t.id = any ({{keys}}::uuid[])"  # noqa: S608
    return Neighbours(rows, lambda found: {row[0]: plain.of(row) for row in found}, None)


def many(plain: Plain[Row], key: str, source: str) -> Neighbours[Sequence[Row]]:
    """Some rows for each key, which is `key` of `source`, in its order; the table's alias there is `t`."""

    def collect(found: Iterable[Columns]) -> Mapping[UUID, Sequence[Row]]:
        grouped: defaultdict[UUID, list[Row]] = defaultdict(list)
        for row in found:
            grouped[row[0]].append(plain.of(row[1:]))
        return grouped

    return Neighbours(f"select row({key}, {plain.columns('t')}) from {source}", collect, ())  # noqa: S608


def value(rows: str, absent: T) -> Neighbours[T]:
    """One value for each key: rows of two columns."""
    return Neighbours(rows, dict, absent)
