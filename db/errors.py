"""What may be expected to go wrong; a class's docstring is the sentence that people read."""

import inspect
from uuid import UUID


class PictureError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None, *, path: tuple[str, ...] = ()) -> None:
        super().__init__(message or inspect.getdoc(type(self)))
        self.path = path


class NotFoundError(PictureError):
    """There is no such thing."""

    def __init__(
        self, message: str | None = None, *, path: tuple[str, ...] = (), missing_id: UUID | str | None = None
    ) -> None:
        super().__init__(message, path=path)
        self.missing_id = missing_id


class InvalidInputError(PictureError):
    """The input is not valid."""

    def __init__(self, message: str | None = None, *, path: tuple[str, ...] = (), code: str = "INVALID") -> None:
        super().__init__(message, path=path)
        self.code = code


class RateLimitError(PictureError):
    """Too many in this window; wait."""

    def __init__(
        self, message: str, *, limit: int, window_seconds: int, retry_after_seconds: int, path: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, path=path)
        self.limit = limit
        self.window_seconds = window_seconds
        self.retry_after_seconds = retry_after_seconds


class QuotaExceededError(PictureError):
    """The storage is full; make room."""

    def __init__(self, message: str | None = None, *, limit: int, used: int, path: tuple[str, ...] = ()) -> None:
        super().__init__(message, path=path)
        self.limit = limit
        self.used = used


class ConflictError(PictureError):
    """It is in another state."""


class SupersededError(PictureError):
    """A newer attempt has taken over."""


class UnauthenticatedError(PictureError):
    """Sign in first."""


class ExpiredError(UnauthenticatedError):
    """The token has expired."""


class ForbiddenError(PictureError):
    """You may not do that."""


class BadRequestError(PictureError):
    """The request cannot be understood."""


class UnavailableError(PictureError):
    """A service that this needs is away; try again in a moment."""
