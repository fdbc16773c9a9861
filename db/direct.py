"""One statement, one round trip: for what is asked so often that a transaction of four would cost more than its work.

The statement sets the claims itself, as its first parameter, in the transaction that it is: it reads inside
`case when set_config('request.jwt.claims', $1, true) is not null then (…) end`, or writes in CTEs that depend on one
which sets them. Out of order there would be no claims, and policies would show nothing: it fails closed.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import asyncpg

from db.claims import Claims

CACHED_STATEMENTS = 256  # per connection; each is planned once
CLAIMED = "case when set_config('request.jwt.claims', $1, true) is not null then {} end"
CONNECT_SECONDS = 10
IDLE_SECONDS = 300.0
CLOSE_SECONDS = 5.0


class Direct:
    """A pool of plain asyncpg connections, which are never in a transaction of several statements.

    asyncpg's own pool makes two tasks for each use, one to wait with a timeout and one to reset the connection: as much
    work as a small statement. Here every setting ends with its statement's own transaction; there is nothing to reset.
    """

    def __init__(self, url: str, settings: Mapping[str, str], *, pool_size: int, timeout_seconds: float) -> None:
        self._url = url
        self._settings = dict(settings)
        self._timeout_seconds = timeout_seconds
        self._room = asyncio.Semaphore(pool_size)
        self._idle: list[tuple[asyncpg.Connection, float]] = []  # with the time since when; the last one goes first
        self._closing: set[asyncio.Task[None]] = set()

    async def row(self, statement: str, claims: Claims, *values: object) -> asyncpg.Record | None:
        """The first row of the statement, whose `$1` are the claims; None when there is none."""
        async with self._connection() as connection:
            return await connection.fetchrow(statement, claims.json, *values)

    async def value(self, statement: str, claims: Claims, *values: object) -> Any:
        """The first value of the first row; None when there is none."""
        async with self._connection() as connection:
            return await connection.fetchval(statement, claims.json, *values)

    async def read(self, expression: str, claims: Claims, values: Mapping[str, object]) -> Any:
        """What an SQL expression comes to; `{name}` in it is one of `values`, and says its type where it stands.

        Rows are an `array(select row(…) …)`: tuples, in their order.
        """
        return (await self.read_all([expression], claims, values))[0]

    async def read_all(self, expressions: Sequence[str], claims: Claims, values: Mapping[str, object]) -> Sequence[Any]:
        """The same of several, in one statement."""
        statement, names = _reading(tuple(expressions))
        row: Sequence[Any] | None = await self.row(statement, claims, *(values[name] for name in names))
        assert row
        return row

    async def close(self) -> None:
        """Close every connection that nobody uses."""
        while self._idle:
            self._idle.pop()[0].terminate()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        if self._room.locked():
            async with asyncio.timeout(self._timeout_seconds):
                await self._room.acquire()
        else:
            await self._room.acquire()
        connection = None
        try:
            connection = self._warm() or await self._connect()
            yield connection
        except (asyncpg.PostgresError, asyncpg.InterfaceError):
            raise  # the statement failed or was never sent, and its transaction is over
        except BaseException:
            if connection:
                self._discard(connection)  # it may be busy still
                connection = None
            raise
        finally:
            self._room.release()
            if connection and not connection.is_closed():
                self._idle.append((connection, time.monotonic()))

    def _discard(self, connection: asyncpg.Connection) -> None:
        """Close it once Postgres has been told to stop what runs in it."""
        closing = asyncio.create_task(connection.close(timeout=CLOSE_SECONDS))
        self._closing.add(closing)
        closing.add_done_callback(self._closed)

    def _closed(self, closing: asyncio.Task[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled():
            closing.exception()  # a connection that is gone already is closed as well

    def _warm(self) -> asyncpg.Connection | None:
        """One that is open; the longest unused goes when it was not needed for long."""
        if self._idle and time.monotonic() - self._idle[0][1] > IDLE_SECONDS:
            self._idle.pop(0)[0].terminate()
        while self._idle:
            connection, _ = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._url,
            statement_cache_size=CACHED_STATEMENTS,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
            server_settings=self._settings,
            timeout=CONNECT_SECONDS,
        )


@lru_cache(1024)
def _reading(expressions: tuple[str, ...]) -> tuple[str, Sequence[str]]:
    """The statement, and the names of its parameters from the second on."""
    statement = f"select {', '.join(map(CLAIMED.format, expressions))}"
    names = list(dict.fromkeys(re.findall(r"{(\w+)}", statement)))
    return statement.format_map({name: f"${place}" for place, name in enumerate(names, start=2)}), names
