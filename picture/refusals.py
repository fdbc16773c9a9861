"""A request that is turned away as a whole, before anything of it runs."""

from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from starlette.responses import Response

from picture.failures import BAD_INPUT, short

JSON = "application/json"


class RefusedError(Exception):
    """The request is refused, with an HTTP status and a GraphQL error that says why."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str = BAD_INPUT,
        *,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(short(message))
        self.status = status
        self.code = code
        self.headers = headers
        self.extensions = {"code": code, **(extensions or {})}

    @property
    def formatted(self) -> dict[str, Any]:
        """As an entry of `errors`."""
        return {"message": str(self), "extensions": self.extensions}

    def response(self) -> Response:
        """The answer over HTTP; the code goes into the request's line of the log."""
        structlog.contextvars.bind_contextvars(errors=[self.code])
        body = orjson.dumps({"data": None, "errors": [self.formatted]})
        return Response(body, self.status, headers=self.headers, media_type=JSON)
