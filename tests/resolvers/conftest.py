"""What the contract's tests count."""

from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, Engine, event

IN_THE_BACKGROUND = ("picture.event_heads", "picture.admit", "picture.revoked_among", "picture.count_downloads")


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """The SQL statements on behalf of callers, but for their identity: workers do not say who asks."""
    seen: list[str] = []
    asked_for: set[int] = set()

    def see(connection: Connection, _: Any, statement: str, *rest: Any) -> None:
        if "request.jwt.claims" in statement:
            asked_for.add(id(connection))
        elif id(connection) in asked_for and not any(part in statement for part in IN_THE_BACKGROUND):
            seen.append(statement)

    def end(connection: Connection) -> None:
        asked_for.discard(id(connection))

    # `db.direct` goes past SQLAlchemy, and asyncpg tells nobody what it runs unless each connection is asked to.
    execute: Any = asyncpg.Connection._execute

    async def see_direct(self: asyncpg.Connection, query: str, *rest: Any, **named: Any) -> Any:
        if "request.jwt.claims" in query and not any(part in query for part in IN_THE_BACKGROUND):
            seen.append(query)
        return await execute(self, query, *rest, **named)

    asyncpg.Connection._execute = see_direct
    listeners = (("before_cursor_execute", see), ("commit", end), ("rollback", end))
    for name, listener in listeners:
        event.listen(Engine, name, listener)
    yield seen
    asyncpg.Connection._execute = execute
    for name, listener in listeners:
        event.remove(Engine, name, listener)
