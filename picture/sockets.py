"""graphql-transport-ws: Strawberry's handler, with its gaps mended (the numbers are close codes).

- A frame that is no message of the protocol is 4400; Strawberry breaks off with 1006, or never answers.
- `connection_init` in time, or 4408; its `Authorization` is verified: 4401 when not valid, 4403 when it has ended.
- The token's end closes the socket with 4403; without a token, so does the end of `stream_seconds`.
- Who takes nothing for `send_seconds` is too slow: 1013. So is closed who could not be sent an event
  because a service was away: the cursor that the client holds still leads to it.
- A person's sockets, a socket's operations and a frame's size are bounded: 4429, an error, 1009.

Pings keep proxies awake and find dead peers: they are the server's (`socket.server_options`), below the protocol.
1012, the server is being replaced, is sent by uvicorn when it stops.

The view derives from `SocketView` and sets `sockets`; its context has `claims`, which are set here.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any
from uuid import UUID

import orjson
import structlog
from graphql import GraphQLError
from strawberry.asgi import GraphQL
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    PingMessage,
    SubscribeMessage,
)
from strawberry.types.execution import PreExecutionError

from db.claims import ANONYMOUS, Claims
from db.errors import ExpiredError, RateLimitError, UnauthenticatedError
from db.profiles import GONE
from picture.bodies import check_size
from picture.failures import TIMEOUT, UNAVAILABLE, judge
from picture.gate import LATE_SECONDS, Gate, address_of, limited
from picture.refusals import RefusedError
from picture.socket import Socket, Sockets
from schema.context import Context, Outlet, outlet

log = structlog.get_logger(__name__)

# Messages of one socket; what comes faster is read later: a hundred streams begin with as many snapshots.
AT_ONCE, PER_SECOND = 32, 50


class SocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """The protocol on one socket."""

    view: "SocketView"
    websocket: Socket
    context: Context

    async def handle(self) -> None:
        """Serve until either side closes, or time is up; then leave nothing running."""
        loop, began_at = asyncio.get_running_loop(), time.monotonic()
        self.sockets, self.websocket.is_served = self.view.sockets, True
        self.person: UUID | None = None
        self.authorization: str | None = None
        self.watching = ExitStack()
        self.timer = loop.call_later(
            self.sockets.limits.init_timeout_seconds, self.websocket.end, 4408, "Say connection_init."
        )
        reader = asyncio.create_task(self._read())
        ended: asyncio.Future[Any] = self.websocket.ended
        try:
            await asyncio.wait({reader, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.timer.cancel()
            self.watching.close()
            reader.cancel()
            if self.person:
                self.sockets.leave(self.person)
            with suppress(asyncio.CancelledError):
                await reader
            await self.shutdown()
            await self.websocket.hang_up()
            code = self.websocket.ended.result()[0] if self.websocket.ended.done() else None
            log.info("websocket", code=code, seconds=round(time.monotonic() - began_at, 3))
            vars(self).clear()  # what is left holds each other: a hundred objects that only the collector would find

    async def _read(self) -> None:
        try:
            free_at = 0.0
            async for message in self.websocket.iter_json():
                await self._take(message)
                now = time.monotonic()
                free_at = max(free_at, now - AT_ONCE / PER_SECOND) + 1 / PER_SECOND
                await asyncio.sleep(max(0.0, free_at - now))  # or who sends many at once keeps all others waiting
        except NonTextMessageReceived:
            self.websocket.end(4400, "A message is text.")
        except NonJsonMessageReceived:
            self.websocket.end(4400, "A message is JSON.")
        except WebSocketDisconnected:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it was: the client learns that it is not to blame
            await self.handle_task_exception(error)
            self.websocket.end(1011, "Something went wrong.")

    async def _take(self, message: object) -> None:
        if fault := _fault(message):
            self.websocket.end(4400, fault)
        elif self._may_say(message):
            await self.handle_message(message)  # type: ignore[arg-type]  # it has been looked at

    def _may_say(self, message: Any) -> bool:
        """Count what is no operation as if it were one; the socket ends when it is too much."""
        try:
            if message["type"] != "subscribe":
                self.view.gate.rates.operation(self.person, address_of(self.websocket.ws))
                check_size("payload", message.get("payload"), self.view.gate.limits)
        except RateLimitError as error:
            self.websocket.end(4429, str(error))
        except RefusedError as error:
            self.websocket.end(4400, str(error))
        return self.websocket.is_open

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Once, in time, and with a token that is valid if there is one."""
        if self.connection_init_received:
            return self.websocket.end(4429, "connection_init came twice.")
        self.connection_init_received = True
        self.timer.cancel()
        said = _authorization(message.get("payload") or {})
        self.authorization = said if said is not None else self.websocket.ws.headers.get("authorization")
        try:
            claims = await self._verified()
        except Exception as error:
            if judge(error).code != UNAVAILABLE:
                raise
            return self.websocket.end(1013, "A service is away. Connect again.")
        if claims is None:
            return None
        if claims.sub and not self._may_connect(claims.sub):
            return None
        if claims.sub and not self.sockets.enter(claims.sub):
            return self.websocket.end(4429, "You have too many connections open.")
        self.person = claims.sub
        self.context.claims = claims
        self.watching.enter_context(self.sockets.watch(claims.sub, self._end_for_good))
        self._end_with(claims)
        await self.send_message({"type": "connection_ack"})
        self.connection_acknowledged = True
        return None

    async def _verified(self) -> Claims | None:
        """Who the token names; None when the socket ends because it names nobody."""
        try:
            return await self.sockets.verify(self.authorization)
        except ExpiredError as error:
            self.websocket.end(4403, str(error))
        except UnauthenticatedError as error:
            self.view.gate.rates.failed_sign_in(address_of(self.websocket.ws))
            self.websocket.end(4401, str(error))
        return None

    def _may_connect(self, person: UUID) -> bool:
        """Whether they have not connected too often; the socket ends when they have."""
        try:
            self.view.gate.rates.signed_in(person)
        except RateLimitError as error:
            self.websocket.end(4429, str(error))
            return False
        return True

    async def _is_welcome(self) -> bool:
        """Whether the token still counts. When that cannot be said, the operation will meet the same trouble."""
        try:
            return await self._verified() is not None
        except Exception as error:
            if judge(error).code != UNAVAILABLE:
                raise
            return True

    def _end_for_good(self) -> None:
        self.websocket.end(4401, GONE)

    def _end_with(self, claims: Claims) -> None:
        """Close when the token ends; all that runs on it ends then."""
        left = self.sockets.limits.stream_seconds
        if claims.expires_at is not None:
            left = claims.expires_at - time.time()
        reason = "Connect again and resume." if claims == ANONYMOUS else "The token has ended."
        self.timer = asyncio.get_running_loop().call_later(max(left, 0), self.websocket.end, 4403, reason)

    async def handle_ping(self, message: PingMessage) -> None:
        """Answered with its own payload, as graphql-ws does."""
        payload = message.get("payload")
        await self.send_message({"type": "pong", "payload": payload} if payload else {"type": "pong"})

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Run it, unless there are too many on this socket, or its person has been turned away since."""
        is_new = self.connection_acknowledged and message["id"] not in self.operations
        if is_new and len(self.operations) >= self.sockets.limits.max_operations:
            error = GraphQLError(
                f"At most {self.sockets.limits.max_operations} operations at once on one connection.",
                extensions={"code": "RATE_LIMITED", "retryAfterSeconds": 1},
            )
            await self.send_message({"id": message["id"], "type": "error", "payload": [error.formatted]})
            return
        if is_new and not await self._is_welcome():
            return
        if is_new and (refused := await self._refusal(message)):
            await self.send_message({"id": message["id"], "type": "error", "payload": [refused.formatted]})
            return
        await super().handle_subscribe(message)

    async def _refusal(self, message: SubscribeMessage) -> GraphQLError | None:
        """Why the operation is not even looked at; None when it is, its query set where only a hash was given."""
        try:
            payload: Any = message["payload"]
            await self.view.gate.subscribed(payload, self.context, address_of(self.websocket.ws))
        except RefusedError as error:
            return GraphQLError(str(error), extensions=error.extensions)
        except RateLimitError as error:
            await asyncio.sleep(LATE_SECONDS)
            return GraphQLError(str(error), extensions=limited(error).extensions)
        return None

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        """Run it; what it sends by itself goes out as its own."""
        head = b'{"id":%b,"type":"next","payload":' % orjson.dumps(operation.id)
        token = outlet.set(Outlet(partial(self._send_payload, head), partial(self._send_payload_now, head)))
        try:
            await super().run_operation(operation)
        finally:  # or the operation, its task and its context hold each other
            outlet.reset(token)

    async def _send_payload(self, head: bytes, payload: bytes) -> bool:
        try:
            await self.websocket.send(head + payload + b"}")
        except WebSocketDisconnected:
            return False
        return True

    def _send_payload_now(self, head: bytes, payload: bytes) -> bool:
        return self.websocket.send_now(head + payload + b"}")

    async def _send_result_stream(self, operation: Operation[Context, None], result_source: Any) -> None:
        results = self._without_loss(result_source) if "subscription" in operation.query else result_source
        await super()._send_result_stream(operation, results)

    async def _without_loss(self, results: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
        """The events; for want of one that cannot be told now the socket ends, and the client resumes before it."""
        async for result in results:
            if result.data is None and not isinstance(result, PreExecutionError):
                codes = {(error.extensions or {}).get("code") for error in result.errors or ()}
                if codes & {UNAVAILABLE, TIMEOUT}:
                    self.websocket.end(1013, "A service is away. Connect again and resume.")
                    raise WebSocketDisconnected
            yield result

    @staticmethod
    def _get_pre_execution_close_reason(error: object) -> str | None:
        return None  # a document that does not parse is an error of that operation, not of the others

    async def handle_task_exception(self, error: Exception) -> None:
        """Log what nobody expected."""
        if not isinstance(error, WebSocketDisconnected):
            log.error("websocket_failed", exc_info=error)


class SocketView(GraphQL[Context, None]):
    """Strawberry's view, its sockets served by the handler above."""

    websocket_adapter_class = Socket
    graphql_transport_ws_handler_class = SocketHandler
    sockets: Sockets
    gate: Gate


def _authorization(payload: Mapping[str, Any]) -> str | None:
    """The Authorization, however it is written; what is no text is text that does not verify."""
    values = [value for name, value in payload.items() if name.lower() == "authorization" and value is not None]
    return str(values[0]) if values else None


def _has_hash(payload: Mapping[str, Any]) -> bool:
    """Whether a document may be meant that is known by its hash."""
    return payload.get("query") is None and any(payload.get(name) for name in ("extensions", "documentId"))


def _fault(message: object) -> str | None:
    """Why this is no message of the protocol; None when it is one."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return "A message is an object with a type."
    payload, type_ = message.get("payload"), message["type"]
    if type_ in ("subscribe", "complete") and not (isinstance(message.get("id"), str) and message["id"]):
        return f"`{type_}` has an id."
    if type_ != "subscribe":
        return "A payload is an object." if payload is not None and not isinstance(payload, dict) else None
    if not isinstance(payload, dict) or not (isinstance(payload.get("query"), str) or _has_hash(payload)):
        return "`subscribe` has a payload with a query."
    kinds = {"variables": dict, "extensions": dict, "operationName": str}
    wrong = [name for name, kind in kinds.items() if not isinstance(payload.get(name), kind | None)]
    return f"`{wrong[0]}` is of another kind." if wrong else None
