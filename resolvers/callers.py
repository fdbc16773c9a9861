"""Who asks, where it matters."""

from uuid import UUID

from db.errors import ForbiddenError, UnauthenticatedError
from schema.context import Info

SERVICE_ROLE = "service_role"


def person(info: Info) -> UUID | None:
    """The caller's profile; None for nobody, and for a key that is nobody's."""
    return info.context.claims.sub


def require_caller(info: Info) -> None:
    """Raise UnauthenticatedError when nobody is signed in."""
    if info.context.claims.sub is None and info.context.claims.role != SERVICE_ROLE:
        raise UnauthenticatedError


def require_person(info: Info) -> UUID:
    """The caller's profile. Raises UnauthenticatedError for nobody, ForbiddenError for who can own nothing."""
    require_caller(info)
    sub = info.context.claims.sub
    if sub is None:
        raise ForbiddenError("This key belongs to nobody, so it can own nothing.")
    return sub
