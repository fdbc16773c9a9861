"""The caller, and what only the caller may see."""

import strawberry

from schema.picture import Profile
from schema.scalars import BigInt


@strawberry.type(description="Hours and days by the clock in UTC.")
class Limits:
    generations_per_hour: int = strawberry.field(description="How many an hour allows.")
    generations_used_this_hour: int = strawberry.field(description="Of those, how many are used.")
    generations_per_day: int = strawberry.field(description="How many a day allows.")
    generations_used_today: int = strawberry.field(description="Of those, how many are used.")
    uploads_per_day: int = strawberry.field(description="How many a day allows.")
    uploads_used_today: int = strawberry.field(description="Of those, how many are used.")
    storage_bytes: BigInt = strawberry.field(description="In bytes; images and uploads together.")
    storage_bytes_used: BigInt = strawberry.field(description="Of those, how many are used.")
    max_concurrent: int = strawberry.field(description="How many generations may run at once.")
    running: int = strawberry.field(description="How many run now.")
    queued: int = strawberry.field(description="How many wait.")


@strawberry.type(description="The caller, and what only the caller may see.")
class Viewer:
    profile: Profile = strawberry.field(description="As everybody sees them.")
    email: str | None = strawberry.field(description="Where they can be reached.")
    limits: Limits = strawberry.field(description="What they may, and have used.")
