"""Galleries to page through: images put there by SQL, so that there are many, and what they should show."""

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import text

from schema.node import global_id
from tests.conftest import House

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STORE = text("""
    with given as (
        select * from jsonb_to_recordset(cast(:images as jsonb)) as g (id uuid, owner uuid, prompt text, model uuid,
            public boolean, archived boolean, hidden boolean, favorite boolean, rating int, created_at timestamptz)
    )
    insert into images (id, user_id, prompt, model_id, is_public, publication_id, archived_at, hidden_at, is_favorite,
        rating, created_at)
    select id, owner, prompt, model, public, case when public then gen_random_uuid() end,
        case when archived then now() end, case when hidden then now() end, favorite, rating, created_at from given
""")
TAG = text("insert into tags (name) select unnest(cast(:names as text[])) on conflict (name) do nothing")
CARRY = text("""
    insert into image_tags (image_id, tag_id) select p.image, t.id
    from jsonb_to_recordset(cast(:pairs as jsonb)) as p (image uuid, name text) join tags t on t.name = p.name
""")
LIKE = text("""
    insert into image_likes (image_id, user_id)
    select p.image, p.person from jsonb_to_recordset(cast(:pairs as jsonb)) as p (image uuid, person uuid)
""")


@dataclass
class Picture:
    """An image, as a test thinks of it."""

    owner: UUID
    prompt: str = "a red fox"
    model: UUID | None = None
    public: bool = True
    archived: bool = False
    hidden: bool = False
    favorite: bool = False
    rating: int | None = None
    created_at: datetime = NOON
    tags: frozenset[str] = frozenset()
    liked_by: frozenset[UUID] = frozenset()
    id: UUID = field(default_factory=uuid4)

    @property
    def is_shown(self) -> bool:
        """Whether everybody may see it."""
        return self.public and not self.archived and not self.hidden

    @property
    def global_id(self) -> str:
        """As clients name it."""
        return global_id("Image", self.id)


async def store(house: House, pictures: list[Picture]) -> None:
    """Put them there, with their tags and likes."""
    db = await house.database()
    columns = [column.name for column in fields(Picture) if column.name not in ("tags", "liked_by")]
    rows = [{name: getattr(one, name) for name in columns} for one in pictures]
    async with db.as_service() as session:
        await session.execute(STORE, {"images": orjson.dumps(rows, default=str).decode()})
        await session.execute(TAG, {"names": sorted({name for one in pictures for name in one.tags})})
        await session.execute(
            CARRY, {"pairs": _pairs("name", [(one.id, name) for one in pictures for name in one.tags])}
        )
        likes = [(one.id, person) for one in pictures for person in one.liked_by]
        await session.execute(LIKE, {"pairs": _pairs("person", likes)})


def _pairs(name: str, pairs: list[tuple[UUID, Any]]) -> str:
    return orjson.dumps([{"image": image, name: other} for image, other in pairs]).decode()
