"""Accounts that end: all that a person has goes in one transaction, and their tokens are worth nothing after it."""

from dataclasses import dataclass
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit
from db.errors import ConflictError, InvalidInputError, UnauthenticatedError
from db.profiles import GONE

# Who has a hundred thousand pictures waits longer than other statements may.
SECONDS = text("select set_config('statement_timeout', '300s', true)")
DELETE_OWN = text("select picture.delete_own_account(:confirm)")
DELETE = text("select picture.delete_account(:id)::text")
FIND = text("""
    select id, username, email from profiles
    where id::text = :named or lower(username) = lower(:named) or lower(email) = lower(:named)
    order by id::text = :named desc, created_at limit 2
""")


@dataclass(frozen=True, slots=True)
class Account:
    """Whom an operator means."""

    id: UUID
    username: str | None
    email: str | None


async def delete_own(session: AsyncSession, confirm: str) -> None:
    """Delete the caller's account. Raises InvalidInputError when `confirm` is not their name, or DELETE without one."""
    await session.execute(SECONDS)
    is_meant = await session.scalar(DELETE_OWN, {"confirm": confirm})
    if is_meant is None:
        raise UnauthenticatedError(GONE)
    if not is_meant:
        raise InvalidInputError("Write your user name, or DELETE when you have none.", path=("confirm",))


async def find(session: AsyncSession, named: str) -> Account | None:
    """The account of this id, username or email; None when there is none. Raises ConflictError when two have it."""
    found = (await session.execute(FIND, {"named": named})).all()
    if len(found) == 2 and str(found[0].id) != named:
        raise ConflictError(f"{named!r} is more than one account; name it by its id.")
    return Account(*found[0]) if found else None


async def delete(session: AsyncSession, id: UUID, entry: audit.Entry) -> dict[str, int]:
    """Delete anybody's account; how many of each went. Who is gone already loses nothing, and stays revoked."""
    await session.execute(SECONDS)
    gone: dict[str, int] = orjson.loads(await session.scalar(DELETE, {"id": id}))
    await audit.add(session, entry, details=gone)
    return gone
