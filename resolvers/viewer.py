"""The caller."""

from db import profiles
from db.errors import UnauthenticatedError
from schema.context import Info
from schema.picture import Profile
from schema.scalars import BigInt
from schema.viewer import Limits, Viewer


async def viewer(info: Info) -> Viewer | None:
    """The caller, or null for nobody and for a key that is nobody's: one statement."""
    allowance = info.context.allowance
    if info.context.claims.sub is None:
        return None
    me = await profiles.me(info.context.db, info.context.claims)
    if me is None:
        raise UnauthenticatedError(profiles.GONE)
    return Viewer(
        profile=Profile.of(me.row),
        email=me.email,
        limits=Limits(
            generations_per_hour=allowance.generations_per_hour,
            generations_used_this_hour=me.used.generations_this_hour,
            generations_per_day=allowance.generations_per_day,
            generations_used_today=me.used.generations_today,
            uploads_per_day=allowance.uploads_per_day,
            uploads_used_today=me.used.uploads_today,
            storage_bytes=BigInt(allowance.storage_bytes),
            storage_bytes_used=BigInt(me.used.storage_bytes),
            max_concurrent=allowance.max_concurrent,
            running=me.used.running,
            queued=me.used.queued,
        ),
    )
