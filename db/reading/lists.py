"""Which rows the lists hold that are no galleries (those are in `db.narrowing`)."""

from collections.abc import Mapping
from dataclasses import dataclass

from db.generations import GenerationFilter
from db.narrowing import SHOWN, Shelf
from db.reading.entries import Many, One

BY_AGE = (("{t}.created_at", "timestamptz"), ("{t}.id", "uuid"))
OF_PROFILE = Shelf("images {t}", ("{t}.user_id = {p}.id", SHOWN), BY_AGE, descending=True)
NO_IMAGES = Shelf("images {t}", ("false",), BY_AGE, descending=True)
NO_GENERATIONS = Shelf("image_generations {t}", ("false",), BY_AGE, descending=True)

GENERATIONS: Mapping[str, str] = {
    "status": "{t}.status = any ({status}::text[])",
    "model_id": "{t}.model_id = {model_id}::uuid",
    "batch_id": "{t}.batch_id = {batch_id}::uuid",
    "created_after": "{t}.created_at > {created_after}::timestamptz",
    "created_before": "{t}.created_at < {created_before}::timestamptz",
}

MODELS = Many("models {t} where {t}.is_active or {include_inactive}::boolean", order="{t}.sort_order, {t}.slug")
MODEL = One("models {t} where {t}.slug = {slug}::text")


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A shelf, and the values that it names."""

    shelf: Shelf
    values: Mapping[str, object]


def my_generations(filter: GenerationFilter) -> Narrowed:
    """The viewer's own."""
    given = {name: value for name in GENERATIONS if (value := getattr(filter, name)) is not None}
    where = ("{t}.user_id = {viewer}::uuid", *(GENERATIONS[name] for name in given))
    return Narrowed(Shelf("image_generations {t}", where, BY_AGE, descending=True), given)
