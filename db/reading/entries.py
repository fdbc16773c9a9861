"""The words in which a field's SQL is told.

In every text `{t}` is the alias of the row that the field belongs to, `{p}` that of the row which leads to it; any
other name in braces is a value, sent as a parameter: an argument of the field, or what `resolvers.plans.values` knows
of the caller. A value says its type where it stands (`{viewer}::uuid`).
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A scalar, as Postgres prints it in JSON."""

    sql: str


@dataclass(frozen=True, slots=True)
class Same:
    """An object that the same row tells of, while `when` holds."""

    when: str | None = None


@dataclass(frozen=True, slots=True)
class One:
    """The object of one row, null when there is none: what stands behind `from`."""

    source: str


@dataclass(frozen=True, slots=True)
class Many:
    """The objects of some rows, in an order."""

    source: str
    order: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the rows behind `from`: `{limit}` of them between the cursors' `{after_0}` … and `{before_0}` …

    `{known_total}` is a figure to show instead of counting, or null; what is counted is handed back.
    """

    source: str
    keys: tuple[tuple[str, str], ...]  # what the order goes by, each with its type; the last is unique
    cursor: str  # `{0}` is the first key
    descending: bool
    backwards: bool = False
    has_after: bool = False
    has_before: bool = False
    may_know_total: bool = False


Entry = Column | Same | One | Many | Listing
Entries = Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a field with arguments reads, and the values that its text names."""

    entry: Entry
    values: Mapping[str, object]
    total_key: Hashable = None  # under which a total is remembered


def columns(*names: str) -> dict[str, Entry]:
    """Fields that are columns of the same name."""
    return {_camel(name): Column(f"{{t}}.{name}") for name in names}


def words(*names: str) -> dict[str, Entry]:
    """Fields that are members of closed lists: stored as the value, shown as the name."""
    return {_camel(name): Column(f"upper({{t}}.{name})") for name in names}


def global_id(type_name: str) -> dict[str, Entry]:
    """The id as `schema.node.global_id` makes it: too short for `encode` to break the line."""
    return {"id": Column(f"encode(('{type_name}:' || {{t}}.id)::bytea, 'base64')")}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
