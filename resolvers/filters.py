"""Filters as the database takes them; an id that names nothing narrows to nothing."""

from typing import Any
from uuid import UUID

from strawberry import UNSET

from db.generations import GenerationFilter
from db.narrowing import ImageFilter
from resolvers import tagging
from resolvers.ids import row_id
from schema import inputs
from schema.model import Model
from schema.node import Node
from schema.picture import Batch, Profile

NOTHING = UUID(int=0)  # no row has it
MAX_SEARCH_CHARACTERS = 500  # what follows is not looked at: words of a script without blanks take time by its square


def generation_filter(filter: inputs.GenerationFilter | None) -> GenerationFilter:
    """What to narrow the caller's generations by."""
    if not filter:
        return GenerationFilter()
    return GenerationFilter(
        status=_given(filter.status),
        model_id=_id(filter.model_id, Model),
        batch_id=_id(filter.batch_id, Batch),
        created_after=_given(filter.created_after),
        created_before=_given(filter.created_before),
    )


def image_filter(filter: inputs.ImageFilter | None) -> ImageFilter:
    """What to narrow a gallery by."""
    if not filter:
        return ImageFilter()
    tags, search = _given(filter.tags), _given(filter.search)
    return ImageFilter(
        search=_searched(search) if search is not None else None,
        tags=tagging.wanted(tags) if tags else None,
        model_id=_id(filter.model_id, Model),
        owner_id=_id(filter.owner_id, Profile),
        is_favorite=_given(filter.is_favorite),
        min_rating=_given(filter.min_rating),
        created_after=_given(filter.created_after),
        created_before=_given(filter.created_before),
    )


def _searched(text: str) -> str:
    """What Postgres can take of it: no NUL, and no half of a surrogate pair."""
    return text[:MAX_SEARCH_CHARACTERS].replace("\0", " ").encode(errors="ignore").decode()


def _given(value: Any) -> Any:
    return None if value is UNSET else value


def _id(id: str | None, type: type[Node]) -> UUID | None:
    return None if _given(id) is None else row_id(str(id), type) or NOTHING
