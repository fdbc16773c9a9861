"""What operators have done: only added to, in the transaction that does it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

ADD = text("""
    insert into audit_log (operator, action, target, reason, details)
    values (:operator, :action, :target, :reason, cast(:details as jsonb))
""")


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to what, and why."""

    operator: str
    action: str
    target: UUID
    reason: str | None = None


async def add(session: AsyncSession, entry: Entry, details: Mapping[str, Any] | None = None) -> None:
    """Say it."""
    values = {name: getattr(entry, name) for name in Entry.__slots__}
    await session.execute(ADD, {**values, "details": orjson.dumps(dict(details or {})).decode()})
