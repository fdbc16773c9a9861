"""Each request has an id, and one line in the log."""

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from picture.failures import report

log = structlog.get_logger(__name__)

HEADER = "X-Request-Id"
USABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")  # nothing else of a client's gets into the log as an id
GONE = "the handler is closed"  # uvloop's words for a connection that its client has ended
QUIET_PATHS = ("/healthz", "/readyz", "/graphiql/")


class HungUpError(Exception):
    """Nobody hears the answer any more."""


class RequestLog:
    """Bind the id, send it back, and log what was answered and how long it took."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and log at the end; a socket logs for itself."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        id = given if USABLE.fullmatch(given) else uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=id):
            if scope["type"] == "http":
                await self._serve(scope, receive, send, id)
            else:
                await self._app(scope, receive, send)
        structlog.contextvars.unbind_contextvars("person", "operation", "errors")

    async def _serve(self, scope: Scope, receive: Receive, send: Send, id: str) -> None:
        began_at, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = id
            try:
                await send(message)
            except RuntimeError as error:
                raise (HungUpError if GONE in str(error) else RuntimeError)(str(error)) from error

        try:
            await self._app(scope, receive, send_with_id)
        except HungUpError:
            status = 0
        except Exception as error:
            report(error)
            raise
        finally:
            ms = round((time.perf_counter() - began_at) * 1000, 1)
            write = log.debug if scope["path"].startswith(QUIET_PATHS) else log.info
            write("request", method=scope["method"], path=scope["path"], status=status or 499, ms=ms)
