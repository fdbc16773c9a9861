"""Everybody who may come to the database: Picture's own logins, and Supabase's REST interface."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import NAMESPACE_DNS, uuid5

import asyncpg
import orjson

from tests.services import Addresses

ALICE, BOB = (str(uuid5(NAMESPACE_DNS, name)) for name in ("alice", "bob"))


@dataclass(frozen=True)
class Visitor:
    """A login, the role that it switches to, and whom the token names."""

    name: str
    login: str  # the setting that holds its address
    role: str | None = None
    sub: str | None = None
    is_admin: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def claims(self) -> str:
        """What `request.jwt.claims` is set to."""
        claims = {"role": "authenticated" if self.sub else "anon", "sub": self.sub}
        given = {name: value for name, value in claims.items() if value}
        return orjson.dumps({**given, "app_metadata": {"role": "admin"}} if self.is_admin else given).decode()

    @asynccontextmanager
    async def visit(self, addresses: Addresses) -> AsyncIterator[asyncpg.Connection]:
        """A transaction of theirs, which is undone."""
        connection = await asyncpg.connect(getattr(addresses, self.login))
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute("select set_config('request.jwt.claims', $1, true)", self.claims)
            if self.role:
                await connection.execute(f"set local role {self.role}")
            yield connection
        finally:
            await transaction.rollback()
            await connection.close()


ADMIN = Visitor("admin", "database_admin_url")
WORKER = Visitor("worker", "database_worker_url")
NOBODY = Visitor("nobody", "database_url")
API_ALICE = Visitor("alice", "database_url", sub=ALICE)
API_BOB = Visitor("bob", "database_url", sub=BOB)
API_ADMIN = Visitor("an admin", "database_url", sub=BOB, is_admin=True)
# PostgREST logs in as one role and switches to another, as `set role` does.
REST_NOBODY = Visitor("nobody over REST", "database_admin_url", role="anon")
REST_ALICE = Visitor("alice over REST", "database_admin_url", role="authenticated", sub=ALICE)
REST_BOB = Visitor("bob over REST", "database_admin_url", role="authenticated", sub=BOB)
STRANGERS = [NOBODY, API_BOB, API_ADMIN, REST_NOBODY, REST_BOB]
