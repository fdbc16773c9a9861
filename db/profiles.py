"""People: made when their token is first seen, shown to everybody without their email."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.claims import Claims
from db.errors import UnauthenticatedError

ENSURE = text("""
    with made as (
        insert into profiles (id, email) values (:sub, :email) on conflict (id) do nothing
    )
    insert into user_rate_limits (user_id) values (:sub) on conflict (user_id) do nothing
""")
REVOKED = text("select picture.is_revoked(:sub)")
EMAIL = text("select picture.viewer_email()")


async def ensure(session: AsyncSession, claims: Claims) -> None:
    """Make the caller's profile when it is not there. Raises UnauthenticatedError for the revoked."""
    if await is_revoked(session, claims):
        raise UnauthenticatedError("This account is gone.")
    await session.execute(ENSURE, {"sub": claims.sub, "email": claims.email})


async def is_revoked(session: AsyncSession, claims: Claims) -> bool:
    """Whether this person's tokens are worth nothing any more."""
    return bool(await session.scalar(REVOKED, {"sub": claims.sub}))


async def viewer_email(session: AsyncSession) -> str | None:
    """The caller's own email address."""
    email: str | None = await session.scalar(EMAIL)
    return email
