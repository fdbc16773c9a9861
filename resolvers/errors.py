"""Expected errors of mutations become the payload's `errors`: the one place where that happens."""

from dataclasses import dataclass
from typing import Any

from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver

from db.errors import NotFoundError, PictureError
from schema.context import Info
from schema.errors import UserError, user_error


@dataclass(frozen=True, slots=True)
class Done:
    """A mutation that has been run: as the root value, what it answers."""

    payload: Any


class ErrorsAsData(FieldExtension):
    """Answer with a payload that holds the error, where a client can act on it; raise the rest."""

    async def resolve_async(self, next_: AsyncExtensionResolver, source: Any, info: Info, **kwargs: Any) -> Any:
        """What the resolver answers, or a payload that says why not."""
        if isinstance(source, Done):
            return source.payload
        try:
            return await next_(source, info, **kwargs)
        except PictureError as error:
            payload: Any = info.return_type
            return payload(errors=[as_data(error, kwargs)])


def as_data(error: PictureError, arguments: dict[str, Any]) -> UserError:
    """What a client can act on. Raises the error itself when it is no business of theirs."""
    if isinstance(error, NotFoundError):
        error.missing_id = _named(error.path, arguments)
    said = user_error(error)
    if said is None:
        raise error
    return said


def _named(path: tuple[str, ...], arguments: dict[str, Any]) -> str | None:
    """What the client wrote where `path` leads, when that names a thing: its words, not the row's id."""
    match path:
        case ("id",):
            return str(arguments["id"])
        case ("imageId",):
            return str(arguments["image_id"])
        case ("input", "id" | "model" as name):
            return str(getattr(arguments["input"], name))
        case ("input", "sourceImageId"):
            return str(arguments["input"].source_image_id)
        case ("input", "maskImageId"):
            return str(arguments["input"].mask_image_id)
        case _:
            return None
