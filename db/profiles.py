"""People: made when their token is first seen, shown to everybody without their email."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import orjson
from sqlalchemy import func, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from db.claims import ANONYMOUS, Claims
from db.database import Database
from db.errors import ConflictError, UnauthenticatedError
from db.limits import Usage
from db.tables import ProfileRow

GONE = "This account is gone."

# One statement each that sets the claims itself (`db.direct`): these are asked most often.
ADMIT = """
    select case when set_config('request.jwt.claims', $1, true) is not null then picture.admit($2::uuid, $3::text) end
"""
REVOKED = """
    select case when set_config('request.jwt.claims', $1, true) is not null
        then array(select picture.revoked_among($2::uuid[])) end
"""
ME = """
    select case when set_config('request.jwt.claims', $1, true) is not null then (
        select json_build_object('row', json_build_object('id', p.id, 'username', p.username,
                'avatar_url', p.avatar_url, 'created_at', p.created_at),
            'email', picture.viewer_email(), 'used', json_build_array(
            case when l.hour_started_at = date_trunc('hour', now(), 'UTC') then l.generations_this_hour else 0 end,
            case when l.day_started_at = date_trunc('day', now(), 'UTC') then l.generations_today else 0 end,
            case when l.uploads_day_started_at = date_trunc('day', now(), 'UTC') then l.uploads_today else 0 end,
            l.storage_bytes_used,
            (select count(*) from image_generations g
                where g.user_id = p.id and g.status in ('processing', 'canceling')),
            (select count(*) from image_generations g where g.user_id = p.id and g.status = 'queued')))::text
        from profiles p join user_rate_limits l on l.user_id = p.id where p.id = $2::uuid) end
"""


@dataclass(frozen=True, slots=True)
class Me:
    """A person, and what only they may see of themself."""

    row: ProfileRow
    email: str | None
    used: Usage


async def admit(db: Database, claims: Claims) -> None:
    """Make the caller's profile when it is not there. Raises UnauthenticatedError for the revoked."""
    if not await db.direct.value(ADMIT, claims, claims.sub, claims.email):
        raise UnauthenticatedError(GONE)


async def revoked_among(db: Database, people: Collection[UUID]) -> list[UUID]:
    """Those whose tokens are worth nothing any more."""
    found: list[UUID] = await db.direct.value(REVOKED, ANONYMOUS, list(people))
    return found


async def me(db: Database, claims: Claims) -> Me | None:
    """The caller; None when they have gone since they were admitted."""
    found = await db.direct.value(ME, claims, claims.sub)
    if found is None:
        return None
    known = orjson.loads(found)
    return Me(ProfileRow.model_validate(known["row"]), known["email"], Usage(*known["used"]))


async def by_username(session: AsyncSession, username: str) -> ProfileRow | None:
    """The person of that name, however it is written."""
    named = select(ProfileRow).where(func.lower(col(ProfileRow.username)) == func.lower(username))
    return (await session.scalars(named)).one_or_none()


@dataclass(frozen=True, slots=True)
class ProfileChanges:
    """What an update sets; what has no `has_` stays, None with it clears."""

    has_username: bool = False
    username: str | None = None
    has_avatar_url: bool = False
    avatar_url: str | None = None


UPDATE = text("""
    update profiles set
        username = case when :has_username then cast(:username as text) else username end,
        avatar_url = case when :has_avatar_url then cast(:avatar_url as text) else avatar_url end,
        updated_at = now()
    where id = picture.viewer_id()
    returning id, username, avatar_url, created_at
""")


async def update(session: AsyncSession, changes: ProfileChanges) -> ProfileRow:
    """The caller's profile as it is now. Raises ConflictError when somebody else has the name.

    Of many who take one name at once the unique index lets one pass: there is nothing to look at before.
    """
    values = {name: getattr(changes, name) for name in ProfileChanges.__slots__}
    try:
        row = (await session.execute(UPDATE, values)).one_or_none()
    except IntegrityError as error:
        raise ConflictError("Somebody else has this name.", path=("input", "username")) from error
    if row is None:
        raise UnauthenticatedError(GONE)
    return ProfileRow(**row._mapping)
