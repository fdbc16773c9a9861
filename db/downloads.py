"""Downloads, counted."""

from collections.abc import Mapping
from uuid import UUID

from db.claims import ANONYMOUS
from db.database import Database

COUNT = """
    select case when set_config('request.jwt.claims', $1, true) is not null
        then picture.count_downloads($2::uuid[], $3::int[])::text end
"""


async def count(db: Database, counts: Mapping[UUID, int]) -> None:
    """Add to each image's; images that are gone are passed over."""
    await db.direct.value(COUNT, ANONYMOUS, list(counts), list(counts.values()))
