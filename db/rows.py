"""Rows that no session has read: of what a statement has just written."""

from collections.abc import Mapping
from typing import TypeVar

from sqlalchemy.orm.attributes import manager_of_class
from sqlmodel import SQLModel

Row = TypeVar("Row", bound=SQLModel)


def made(table: type[Row], values: Mapping[str, object]) -> Row:
    """A row that belongs to no session. Made as the ORM makes those that it reads: 10 µs, by pydantic 160."""
    row: Row = manager_of_class(table).new_instance()
    row.__dict__.update(values)
    return row
