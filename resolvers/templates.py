"""Prompt templates: found, made, changed, deleted."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from db import templates
from resolvers import texts
from resolvers.callers import require_caller, require_person
from resolvers.filters import MAX_SEARCH_CHARACTERS
from resolvers.ids import require
from schema.arguments import Id
from schema.context import Info
from schema.inputs import PromptTemplateInput
from schema.payloads import DeletePayload, PromptTemplatePayload
from schema.template import PromptTemplate

Category = Annotated[str | None, strawberry.argument(description="Only those of this category, in capitals or not.")]
Search = Annotated[str | None, strawberry.argument(description="Only those with all of these words in name or prompt.")]
Said = Annotated[PromptTemplateInput, strawberry.argument(description="What the template says.")]


async def list_templates(info: Info, category: Category = UNSET, search: Search = UNSET) -> list[PromptTemplate]:
    """The caller's own by name, then public ones of others by name."""
    wanted, typed = _clean(category), _clean(search)
    async with info.context.db.as_user(info.context.claims) as session:
        rows = await templates.find(session, wanted, typed)
    return [PromptTemplate.of(row) for row in rows]


async def create_template(info: Info, input: Said) -> PromptTemplatePayload:
    """A template of the caller's. Raises what is wrong with the input, or that there are too many."""
    require_person(info)
    new = texts.template(input, info.context.bounds)
    async with info.context.db.as_user(info.context.claims) as session:
        row = await templates.create(session, new, info.context.bounds.max_templates)
    return PromptTemplatePayload(prompt_template=PromptTemplate.of(row))


async def update_template(info: Info, id: Id, input: Said) -> PromptTemplatePayload:
    """The caller's own, saying what the input says and nothing else."""
    require_caller(info)
    template_id = require(id, PromptTemplate, "id")
    changed = texts.template(input, info.context.bounds)
    async with info.context.db.as_user(info.context.claims) as session:
        row = await templates.update(session, template_id, changed)
    return PromptTemplatePayload(prompt_template=PromptTemplate.of(row))


async def delete_template(info: Info, id: Id) -> DeletePayload:
    """The caller's own is gone."""
    require_caller(info)
    template_id = require(id, PromptTemplate, "id")
    async with info.context.db.as_user(info.context.claims) as session:
        await templates.delete(session, template_id)
    return DeletePayload(deleted_id=id)


def _clean(given: str | None) -> str | None:
    """The words; None where there are none, as when nothing was given."""
    said = given[:MAX_SEARCH_CHARACTERS] if isinstance(given, str) else ""
    return "".join(" " if texts.is_control(character) else character for character in said).strip() or None
