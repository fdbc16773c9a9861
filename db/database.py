"""Sessions: one transaction each, with the identity that row-level security decides by."""

import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from db.claims import Claims
from db.direct import Direct
from db.errors import PictureError, UnavailableError

SET_CLAIMS = text("select set_config('request.jwt.claims', :claims, true)")
# What a role is a member of counts: its policies apply, or it may be switched to.
UNSAFE_ROLE = text("""
    select exists (select from pg_roles r where pg_has_role(r.oid, 'member')
                   and (r.rolsuper or r.rolbypassrls or r.rolname = 'picture_worker'))
        or exists (select from pg_class c where pg_has_role(c.relowner, 'member')
                   and c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace)
""")

PING_AFTER_SECONDS = 10.0  # without use, a connection may have been forgotten on its way

# The connection is gone, the server is coming up or going down, has no room, or asks to be asked again.
AWAY_STATES = ("08", "53", "57P", "40", "25P")


def is_away(error: BaseException) -> bool:
    """Whether Postgres could not be reached, or asks to be asked again: the same statement may succeed later."""
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        return error.connection_invalidated or state.startswith(AWAY_STATES) or isinstance(error, InterfaceError)
    return isinstance(error, (OSError, TimeoutError, PoolTimeoutError))


def _check_at_checkout(engine: AsyncEngine) -> None:
    """Replace a connection that is gone, before it is used.

    SQLAlchemy's own `pool_pre_ping` asks each time, in three round trips: as many as a transaction of one statement.
    asyncpg knows when its socket was closed; only one that was silent for long may be dead without a word.
    """

    @event.listens_for(engine.sync_engine, "checkin")
    def note(connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def check(connection: Any, record: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
        if connection.driver_connection.is_closed():
            raise DisconnectionError
        if time.monotonic() - record.info.get("used_at", math.inf) > PING_AFTER_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except (engine.dialect.loaded_dbapi.Error, OSError) as error:
                raise DisconnectionError from error


class UnsafeRoleError(PictureError):
    """The API's database role escapes row-level security.

    Give DATABASE_URL a login role that owns no table, has neither SUPERUSER nor BYPASSRLS, and is not the one in
    DATABASE_WORKER_URL: `picture migrate` makes one of the name and password that stand in DATABASE_URL.
    """


class Database:
    """A pool of connections to one address, handed out as transactions."""

    def __init__(self, engine: AsyncEngine, direct: Direct) -> None:
        self.engine = engine
        self.direct = direct
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @classmethod
    def connect(cls, url: str, *, pool_size: int = 10, statement_timeout_seconds: float = 15) -> "Database":
        """At most `pool_size` connections to `url`; nothing is opened before the first statement."""
        address = make_url(url).set(drivername="postgresql+asyncpg")
        settings = {
            "application_name": "picture",
            "search_path": "public",
            "timezone": "UTC",
            "statement_timeout": str(int(statement_timeout_seconds * 1000)),
            "jit": "off",
            # Planning costs more than running, and every value is a parameter.
            "plan_cache_mode": "force_generic_plan",
        }
        engine = create_async_engine(
            address,
            pool_size=pool_size - pool_size // 2,
            max_overflow=0,
            pool_timeout=statement_timeout_seconds,
            pool_use_lifo=True,  # few connections stay warm, with their statements prepared
            connect_args={"server_settings": settings, "timeout": 10},
        )
        _check_at_checkout(engine)
        plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
        direct = Direct(plain, settings, pool_size=max(pool_size // 2, 1), timeout_seconds=statement_timeout_seconds)
        return cls(engine, direct)

    @asynccontextmanager
    async def as_user(self, claims: Claims) -> AsyncIterator[AsyncSession]:
        """One transaction in which policies see `claims`; commits on a clean exit."""
        async with self._sessions.begin() as session:
            await session.execute(SET_CLAIMS, {"claims": claims.json})
            yield session

    @asynccontextmanager
    async def as_service(self) -> AsyncIterator[AsyncSession]:
        """One transaction of the worker's own login, which sees what jobs need."""
        async with self._sessions.begin() as session:
            yield session

    async def check_role(self) -> None:
        """Raise UnsafeRoleError when policies would not bind this login."""
        async with self.as_service() as session:
            if await session.scalar(UNSAFE_ROLE):
                raise UnsafeRoleError

    async def ping(self) -> None:
        """Raise UnavailableError when Postgres does not answer."""
        try:
            async with self.as_service() as session:
                await session.execute(text("select 1"))
        except Exception as error:
            if is_away(error):
                raise UnavailableError from error
            raise

    async def close(self) -> None:
        """Close every connection."""
        await self.direct.close()
        await self.engine.dispose()
