"""People, as everybody may see them, and what they may change about themselves."""

from typing import Annotated

import strawberry

from db import profiles
from resolvers import texts
from resolvers.callers import require_person
from schema.context import Info
from schema.inputs import UpdateProfileInput
from schema.payloads import ProfilePayload
from schema.picture import Profile

Username = Annotated[str, strawberry.argument(description="In capitals or not.")]
Changes = Annotated[UpdateProfileInput, strawberry.argument(description="What to change.")]


async def profile(info: Info, username: Username) -> Profile | None:
    """The person of that name, or null."""
    if len(username) > texts.MAX_ADDRESS:
        return None  # else it takes longer to write it in its usual form than to look for it
    name = texts.usual(username)
    if any(texts.is_control(character) for character in name):  # Postgres has no text with it, so no name either
        return None
    async with info.context.db.as_user(info.context.claims) as session:
        row = await profiles.by_username(session, name)
    return Profile.of(row) if row else None


async def update_profile(info: Info, input: Changes) -> ProfilePayload:
    """The caller's profile as it is now. Raises what is wrong with the input, or that the name is somebody else's."""
    require_person(info)
    changes = texts.profile_changes(input)
    async with info.context.db.as_user(info.context.claims) as session:
        row = await profiles.update(session, changes)
    return ProfilePayload(profile=Profile.of(row))
