"""The data set: people, generations, images, tags and likes, made in Postgres from numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg

from db import models
from db.database import Database
from gpu import catalogue

SCRIPT = Path(__file__).with_name("data.sql")
IMAGES_PER_GENERATION = 2  # 1, 1, 2, 4
TABLES = (
    "profiles", "models", "image_generations", "images", "tags", "image_tags", "image_likes", "image_words",
    "generation_events", "objects", "user_rate_limits", "workers",
)  # fmt: skip
FEWEST, MOST = 170, 660  # images of those who ask


@dataclass(frozen=True, slots=True)
class Size:
    """How much data."""

    images: int = 50_000
    people: int = 1_000

    @classmethod
    def times(cls, scale: int) -> "Size":
        """So many times as much; from the second time on with half as many people, so 20 times makes 10,000."""
        return cls(50_000 * scale, max(1_000, 500 * scale))


async def make(admin_url: str, worker_url: str, size: Size) -> None:
    """Fill a database that is migrated and empty; some 5 s for 50,000 images."""
    db = Database.connect(worker_url)
    async with db.as_service() as session:
        await models.sync(session, "comfyui", [entry.row() for entry in catalogue.load().entries.values()])
    await db.close()
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute("create temp table bench_size (people int, generations int)")
        generations = size.images // IMAGES_PER_GENERATION
        await connection.execute("insert into bench_size values ($1, $2)", size.people, generations)
        await connection.execute(SCRIPT.read_text())
        for table in TABLES:
            await connection.execute(f"vacuum (analyze) {table}")
    finally:
        await connection.close()


PEOPLE = """
    select array_agg(user_id order by place) from (
        select user_id, row_number() over (order by count(*) desc, user_id) as place, count(*) over () as count
        from images where archived_at is null group by user_id having count(*) between $1 and $2
    ) found where place % greatest(count / $3, 1) = 0 and place <= greatest(count / $3, 1) * $3
"""
GENERATIONS = """
    select user_id, array_agg(id) as ids from (
        select user_id, id, row_number() over (partition by user_id order by created_at desc) as place
        from image_generations where user_id = any ($1) and image_count = 4 and status = 'completed'
    ) found where place <= $2 group by 1
"""


async def askers(connection: asyncpg.Connection, count: int = 20) -> Sequence[UUID]:
    """People with neither few nor many images, however much data there is."""
    found: Sequence[UUID] = await connection.fetchval(PEOPLE, FEWEST, MOST, count)
    return found


async def generations_of(
    connection: asyncpg.Connection, people: Sequence[UUID], count: int = 25
) -> dict[UUID, Sequence[UUID]]:
    """Some generations of each, with four images."""
    return {row["user_id"]: row["ids"] for row in await connection.fetch(GENERATIONS, people, count)}
