"""What an error tells the client, and what it tells the log.

What is expected has a code and a sentence, and is not logged as a fault. All else is logged once, whole, under an
id; the client gets that id and nothing more.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import asyncpg
import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.schema.exceptions import CannotGetOperationTypeError

from db.database import AWAY_STATES, is_away
from db.errors import ForbiddenError, PictureError, RateLimitError, UnauthenticatedError, UnavailableError

log = structlog.get_logger(__name__)

INTERNAL = "INTERNAL_SERVER_ERROR"
UNAVAILABLE = "SERVICE_UNAVAILABLE"
TIMEOUT = "TIMEOUT"
BAD_INPUT = "BAD_USER_INPUT"
TOO_COMPLEX = "QUERY_TOO_COMPLEX"
RATE_LIMITED = "RATE_LIMITED"
MESSAGES = {
    INTERNAL: "Something went wrong on our side.",
    UNAVAILABLE: "A service that this needs is away; try again in a moment.",
    TIMEOUT: "This took too long.",
    TOO_COMPLEX: "The document is nested too deeply.",
}
MESSAGE_CHARACTERS = 1000  # errors name what was written, however long a name it has
STATEMENT_TIMEOUT = "57014"
PARSING_ABORTED = "Parsing aborted"  # too many tokens, or nested too deeply


class TookTooLongError(Exception):
    """The operation took longer than it may."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The operation took longer than the {seconds:g} s that it may.")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a client is told of an error; `message` None: the error's own."""

    code: str
    message: str | None = None
    extensions: tuple[tuple[str, Any], ...] = ()

    @property
    def is_ours(self) -> bool:
        """Whether it is our fault, or that of a service of ours."""
        return self.code in (INTERNAL, UNAVAILABLE, TIMEOUT)


def judge(error: BaseException) -> Verdict:
    """What to tell of an exception that came out of our code, or out of what it called."""
    match error:
        case UnauthenticatedError():
            return Verdict("UNAUTHENTICATED")
        case ForbiddenError():
            return Verdict("FORBIDDEN")
        case RateLimitError():
            return Verdict(RATE_LIMITED, extensions=(("retryAfterSeconds", error.retry_after_seconds),))
        case UnavailableError():
            return Verdict(UNAVAILABLE, str(error))
        case TookTooLongError():
            return Verdict(TIMEOUT, str(error))
        case PictureError():
            return Verdict(BAD_INPUT)
        case CannotGetOperationTypeError():
            return Verdict(BAD_INPUT, error.as_http_error_reason())
        case RecursionError():
            return Verdict(TOO_COMPLEX, MESSAGES[TOO_COMPLEX])
    if _lacks_profile(error):
        return Verdict("UNAUTHENTICATED", "This account is gone.")
    code = _away(error) or INTERNAL
    return Verdict(code, MESSAGES[code])


def _lacks_profile(error: BaseException) -> bool:
    """Whether a row was refused because its owner's account ended in this moment."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else error
    return isinstance(cause, asyncpg.ForeignKeyViolationError) and 'table "profiles"' in (cause.detail or "")


def _away(error: BaseException) -> str | None:
    """SERVICE_UNAVAILABLE or TIMEOUT, when Postgres, Redis or a connection said so; None for any other trouble."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None) or ""
    if state == STATEMENT_TIMEOUT:
        return TIMEOUT
    # While it connects, asyncpg's own exceptions come through unwrapped.
    away = is_away(error) or isinstance(cause, RedisError | asyncpg.InterfaceError) or state.startswith(AWAY_STATES)
    return UNAVAILABLE if away else None


def process_errors(errors: Iterable[GraphQLError]) -> None:
    """Give each error its code, hide what is not the client's business, and log what is ours. Safe to repeat."""
    for error in errors:
        error.message = short(error.message)
        if "code" not in (error.extensions or {}):
            _process(error)


def short(message: str) -> str:
    """The message without most of what a client has written into it."""
    return message if len(message) <= MESSAGE_CHARACTERS else f"{message[:MESSAGE_CHARACTERS]}…"


def _process(error: GraphQLError) -> None:
    verdict = _judge(error)
    error.message = verdict.message or error.message
    error.extensions = {**(error.extensions or {}), "code": verdict.code, **dict(verdict.extensions)}
    if not verdict.is_ours:
        return
    cause = _root(error)
    if verdict.code == INTERNAL:
        error.extensions["id"] = report(cause, path=error.path)
    else:
        log.warning("service_away", code=verdict.code, error=type(cause).__name__, path=error.path)


def report(error: BaseException, **about: object) -> str:
    """Log what nobody expected; the id under which it is found, which is the request's where there is one."""
    bound = structlog.contextvars.get_contextvars().get("request_id")
    id = str(bound or uuid.uuid4().hex)
    log.error("unexpected_error", error_id=id, exc_info=error, **about)
    return id


def _judge(error: GraphQLError) -> Verdict:
    cause = _root(error)
    if not isinstance(cause, GraphQLError):
        return judge(cause)
    if isinstance(cause, GraphQLSyntaxError) and PARSING_ABORTED in cause.message:
        return Verdict(TOO_COMPLEX)
    # graphql-core's own, from a field: about its arguments, which are the client's, or about what it
    # answered, which is ours ("Int cannot represent …").
    is_input = isinstance(cause, StrawberryInputCoercionError) or cause.message.startswith(("Argument ", "Variable "))
    if error.path and not is_input:
        return Verdict(INTERNAL, MESSAGES[INTERNAL])
    return Verdict(BAD_INPUT)


def _root(error: GraphQLError) -> BaseException:
    """The exception that all wrapping began with."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error:
        cause = cause.original_error
    return cause
