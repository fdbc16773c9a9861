"""Errors as data: what a client can act on."""

import strawberry

from db import errors
from schema.enums import UserErrorCode
from schema.scalars import BigInt

MESSAGE = "For people, in English, ending in a full stop."
CODE = "What kind of error it is."
PATH = 'The input field at fault, from the argument down; list indices as decimals: ["input", "prompts", "2"].'


@strawberry.interface(description="Something that a client can act on.")
class UserError:
    message: str = strawberry.field(description=MESSAGE)
    code: UserErrorCode = strawberry.field(description=CODE)
    path: list[str] | None = strawberry.field(description=PATH, default=None)


@strawberry.type(description="INVALID, TOO_LARGE, UNSUPPORTED_BY_MODEL, MODEL_UNAVAILABLE, BLOCKED_CONTENT")
class InvalidInputError(UserError):
    pass


@strawberry.type(description="NOT_FOUND: what is named is not there, or not the caller's to see.")
class NotFoundError(UserError):
    missing_id: strawberry.ID | None = strawberry.field(description="What was asked for.", default=None)


@strawberry.type(description="RATE_LIMITED: too many in a window; wait.")
class RateLimitError(UserError):
    limit: int = strawberry.field(description="How many the window allows.", default=0)
    window_seconds: int = strawberry.field(description="How long the window is.", default=0)
    retry_after_seconds: int = strawberry.field(description="When to ask again.", default=0)


@strawberry.type(description="QUOTA_EXCEEDED: full; make room.")
class QuotaExceededError(UserError):
    limit: BigInt = strawberry.field(description="In bytes, or as many as the message names.", default=BigInt(0))
    used: BigInt = strawberry.field(description="In bytes, or as many as there are.", default=BigInt(0))


@strawberry.type(description="CONFLICT: its state does not allow that.")
class ConflictError(UserError):
    pass


ERRORS = (InvalidInputError, NotFoundError, RateLimitError, QuotaExceededError, ConflictError)


def user_error(error: errors.PictureError) -> UserError | None:
    """What `error` looks like in a payload; None for what is no business of the client's."""
    message, path = str(error), list(error.path) or None
    match error:
        case errors.InvalidInputError():
            return InvalidInputError(message=message, code=UserErrorCode(error.code), path=path)
        case errors.NotFoundError():
            missing = strawberry.ID(str(error.missing_id)) if error.missing_id is not None else None
            return NotFoundError(message=message, code=UserErrorCode.NOT_FOUND, path=path, missing_id=missing)
        case errors.RateLimitError():
            return RateLimitError(
                message=message,
                code=UserErrorCode.RATE_LIMITED,
                path=path,
                limit=error.limit,
                window_seconds=error.window_seconds,
                retry_after_seconds=error.retry_after_seconds,
            )
        case errors.QuotaExceededError():
            return QuotaExceededError(
                message=message,
                code=UserErrorCode.QUOTA_EXCEEDED,
                path=path,
                limit=BigInt(error.limit),
                used=BigInt(error.used),
            )
        case errors.ConflictError():
            return ConflictError(message=message, code=UserErrorCode.CONFLICT, path=path)
        case _:
            return None
