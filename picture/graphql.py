"""The schema as it is served: with its limits, its errors, and the ASGI view."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import orjson
import strawberry
import structlog
from cross_web import AsyncHTTPRequestAdapter, HTTPException, StarletteRequestAdapter
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.schema.config import StrawberryConfig
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionContext, ExecutionResult

from db.claims import ANONYMOUS, Claims
from db.errors import UnauthenticatedError
from picture import graphiql
from picture.auth import Auth
from picture.documents import DocumentLimits, Documents, ExamineDocuments
from picture.failures import BAD_INPUT, INTERNAL, judge, process_errors, report
from picture.socket import Sockets
from picture.sockets import SocketView
from resolvers.root import Mutation, Query, Subscription
from schema.context import Context
from schema.errors import ERRORS
from schema.events import EVENTS
from schema.scalars import SCALARS

JSON = "application/json"
TOO_LARGE = 413
MakeContext = Callable[[Claims, bool], Context]


class Schema(strawberry.Schema):
    """Strawberry's, which by itself logs what is expected as a fault, and hides nothing."""

    shows_itself = True

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Give each its code; log those that are ours, once."""
        process_errors(errors)
        if not self.shows_itself:
            for error in errors:
                error.message = error.message.partition(" Did you mean ")[0]


def make_schema(limits: DocumentLimits | None = None) -> Schema:
    """The contract, held to `limits`."""
    documents = Documents(limits or DocumentLimits())
    schema = Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[*ERRORS, *EVENTS],
        extensions=[lambda: ExamineDocuments(documents)],
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    schema.shows_itself = documents.limits.introspection
    return schema


class Body(StarletteRequestAdapter):
    """A request whose body is read only as far as it may go."""

    max_bytes = 1_000_000

    async def get_body(self) -> bytes:
        """The body. Raises HTTPException when it is too large."""
        body = bytearray()
        async for chunk in self._request.stream():
            body += chunk
            if len(body) > self.max_bytes:
                raise HTTPException(TOO_LARGE, f"A request has at most {self.max_bytes} bytes.")
        return bytes(body)


class View(SocketView):
    """`/graphql`: POST and GET of operations, the WebSocket, and GraphiQL for browsers."""

    def __init__(
        self,
        schema: Schema,
        auth: Auth,
        make_context: MakeContext,
        sockets: Sockets,
        *,
        max_body_bytes: int,
        allowed_origins: Sequence[str] = (),
        has_graphiql: bool = False,
        graphiql_token: str | None = None,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            allowed_origins=allowed_origins,
        )
        self.request_adapter_class = cast("type[Body]", type("Body", (Body,), {"max_bytes": max_body_bytes}))
        self.sockets = sockets
        self._auth = auth
        self._make_context = make_context
        self._has_graphiql = has_graphiql
        self._graphiql_token = graphiql_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one socket."""
        if scope["type"] == "websocket":
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        response = await self._answer(request)
        response.headers.setdefault("Cache-Control", "no-store")
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if self._has_graphiql and graphiql.wants_page(request):
            return graphiql.page(request, self._graphiql_token)
        try:
            return await self.run(request)
        except HTTPException as error:
            return _refusal(error.status_code, error.reason, {"code": BAD_INPUT})
        except Exception as error:  # noqa: BLE001 - the last who can answer
            verdict = judge(error)
            extensions = {"code": verdict.code, **dict(verdict.extensions)}
            if verdict.code == INTERNAL:
                extensions["id"] = report(error)
            return _refusal(500 if verdict.code == INTERNAL else 200, verdict.message or str(error), extensions)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Who asks over HTTP; over a WebSocket that is said later. Raises UnauthenticatedError, UnavailableError."""
        if isinstance(request, WebSocket):
            return self._make_context(ANONYMOUS, True)
        given = request.headers.getlist("authorization")
        if len(given) > 1:
            raise UnauthenticatedError("There is more than one Authorization header.")
        claims = await self._auth.verify(given[0] if given else None)
        if claims.sub:
            structlog.contextvars.bind_contextvars(person=str(claims.sub))
        return self._make_context(claims, False)

    def should_render_graphql_ide(self, request: Any) -> bool:
        """Ours is shown before anybody is asked for."""
        return False

    def decode_json(self, data: str | bytes) -> object:
        """What `data` holds. Raises JSONDecodeError for what is too deep, too."""
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        """As compact as it gets."""
        return orjson.dumps(data)

    def parse_json(self, data: str | bytes) -> Any:
        """An object. Raises HTTPException for anything else."""
        value = super().parse_json(data)
        if not isinstance(value, dict):
            raise HTTPException(400, "A request is one JSON object.")
        return value

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData | list[GraphQLRequestData]:
        """The operation. Raises HTTPException when it is none."""
        data = await super().parse_http_body(request)
        name = data.operation_name if isinstance(data, GraphQLRequestData) else None
        if not isinstance(name, str | None):
            raise HTTPException(400, "`operationName` must be a string or null, if provided.")
        return data

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """The answer; the codes of its errors go into the request's line of the log."""
        if result.errors:
            codes = sorted({str((error.extensions or {}).get("code")) for error in result.errors})
            structlog.contextvars.bind_contextvars(errors=codes)
        return await super().process_result(request, result)


def _refusal(status: int, message: str, extensions: dict[str, Any]) -> Response:
    structlog.contextvars.bind_contextvars(errors=[extensions["code"]])
    error = {"message": message, "extensions": extensions}
    return Response(orjson.dumps({"data": None, "errors": [error]}), status, media_type=JSON)


schema = make_schema()
