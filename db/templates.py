"""Prompt templates: a person's own, and those that others have made public."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import NotFoundError, QuotaExceededError, UnauthenticatedError
from db.profiles import GONE
from db.tables import TemplateRow

LISTED_COUNT = 100  # of other people's; one's own are all listed


@dataclass(frozen=True, slots=True)
class TemplateText:
    """What a template says, checked."""

    name: str
    prompt: str
    negative_prompt: str | None = None
    category: str | None = None
    is_public: bool = False


FIND = text("""
    select t.id, t.user_id, t.name, t.prompt, t.negative_prompt, t.category, t.is_public, t.use_count, t.created_at
    from picture.find_templates(cast(:category as text), cast(:search as text), :most) found
    join prompt_templates t on t.id = found.id order by found.place
""")
# The counter in the owner's row is the limit: rows counted instead let too many pass.
CREATE = text("""
    with counted as (
        update user_rate_limits set template_count = template_count + 1
        where user_id = picture.viewer_id() and template_count < :most returning user_id
    )
    insert into prompt_templates (user_id, name, prompt, negative_prompt, category, is_public)
    select user_id, :name, :prompt, cast(:negative_prompt as text), cast(:category as text), :is_public from counted
    returning id, user_id, name, prompt, negative_prompt, category, is_public, use_count, created_at
""")
UPDATE = text("""
    update prompt_templates set name = :name, prompt = :prompt, negative_prompt = :negative_prompt,
        category = :category, is_public = :is_public, updated_at = now()
    where id = :id and user_id = picture.viewer_id()
    returning id, user_id, name, prompt, negative_prompt, category, is_public, use_count, created_at
""")
DELETE = text("""
    with gone as (
        delete from prompt_templates where id = :id and user_id = picture.viewer_id() returning user_id
    )
    update user_rate_limits l set template_count = greatest(l.template_count - 1, 0) from gone
    where l.user_id = gone.user_id returning l.user_id
""")
USED = text("select template_count from user_rate_limits where user_id = picture.viewer_id()")


async def find(session: AsyncSession, category: str | None, search: str | None) -> Sequence[TemplateRow]:
    """The viewer's own by name, then at most LISTED_COUNT public ones of others by name."""
    rows = await session.execute(FIND, {"category": category, "search": search, "most": LISTED_COUNT})
    return [TemplateRow(**row._mapping) for row in rows]


async def create(session: AsyncSession, new: TemplateText, most: int) -> TemplateRow:
    """One more of the viewer's. Raises QuotaExceededError when they have `most`."""
    row = (await session.execute(CREATE, {**_values(new), "most": most})).one_or_none()
    if row is None:
        used = await session.scalar(USED)
        if used is None:
            raise UnauthenticatedError(GONE)
        raise QuotaExceededError(f"You have {most} templates; delete one first.", limit=most, used=used)
    return TemplateRow(**row._mapping)


async def update(session: AsyncSession, id: UUID, changed: TemplateText) -> TemplateRow:
    """The viewer's own, saying something else. Raises NotFoundError."""
    row = (await session.execute(UPDATE, {**_values(changed), "id": id})).one_or_none()
    if row is None:
        raise NotFoundError("There is no such prompt template.", path=("id",), missing_id=id)
    return TemplateRow(**row._mapping)


async def delete(session: AsyncSession, id: UUID) -> None:
    """The viewer's own is gone. Raises NotFoundError."""
    if await session.scalar(DELETE, {"id": id}) is None:
        raise NotFoundError("There is no such prompt template.", path=("id",), missing_id=id)


def _values(said: TemplateText) -> dict[str, object]:
    return {name: getattr(said, name) for name in TemplateText.__slots__}
