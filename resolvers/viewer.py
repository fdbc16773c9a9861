"""The caller."""

from db import limits, profiles
from schema.context import Info
from schema.picture import Profile
from schema.scalars import BigInt
from schema.viewer import Limits, Viewer


async def viewer(info: Info) -> Viewer | None:
    """The caller, or null for nobody and for a key that is nobody's."""
    sub, allowance = info.context.claims.sub, info.context.allowance
    if sub is None:
        return None
    async with info.context.db.as_user(info.context.claims) as session:
        email = await profiles.viewer_email(session)
        used = await limits.usage(session, sub)
    row = await info.context.loaders.profiles.load(sub)
    assert row, "a caller's profile is made before anything is answered"
    return Viewer(
        profile=Profile.of(row),
        email=email,
        limits=Limits(
            generations_per_hour=allowance.generations_per_hour,
            generations_used_this_hour=used.generations_this_hour,
            generations_per_day=allowance.generations_per_day,
            generations_used_today=used.generations_today,
            uploads_per_day=allowance.uploads_per_day,
            uploads_used_today=used.uploads_today,
            storage_bytes=BigInt(allowance.storage_bytes),
            storage_bytes_used=BigInt(used.storage_bytes),
            max_concurrent=allowance.max_concurrent,
            running=used.running,
            queued=used.queued,
        ),
    )
