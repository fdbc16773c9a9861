"""The schema as it is served: with its limits, its errors, and the ASGI view."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
import strawberry
import structlog
from graphql import GraphQLError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.http import process_result
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from db.claims import ANONYMOUS, Claims
from db.errors import RateLimitError, UnauthenticatedError
from picture import graphiql
from picture.auth import Auth
from picture.bodies import Asked, read
from picture.documents import MAX_ERRORS, Documents, ExamineDocuments
from picture.executor import Executor
from picture.failures import INTERNAL, RATE_LIMITED, TookTooLongError, judge, process_errors, report
from picture.gate import LATE_SECONDS, Gate, address_of, limited
from picture.introspecting import Introspecting
from picture.origins import check_simple
from picture.reading import Reading
from picture.refusals import JSON, RefusedError
from picture.shapes import DocumentLimits
from picture.socket import Sockets
from picture.sockets import SocketView
from picture.writing import Writing
from resolvers.root import Mutation, Query, Subscription
from schema.context import Context
from schema.errors import ERRORS
from schema.events import EVENTS
from schema.scalars import SCALARS

MakeContext = Callable[[Claims, bool], Context]
TOO_MANY = 429
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Schema(strawberry.Schema):
    """Strawberry's, which by itself logs what is expected as a fault, hides nothing, and waits for ever."""

    documents: Documents
    introspecting: Introspecting
    operation_seconds = 20.0
    reading: Reading | None = None
    writing: Writing | None = None

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """The result: by a plan, for a query that has one; past the executor, for a mutation whose payload is plain."""
        if query:
            await self.documents.prepare(self._schema, query)
            told = await self.introspecting.answer(query, context_value, operation_name, variable_values or {})
            if told:
                return told
        if self.reading and query:
            result = await self.reading.answer(query, context_value, operation_name, variable_values or {})
            if result:
                return result
        if self.writing and query and OperationType.MUTATION in (allowed_operation_types or ()):
            done = await self.writing.answer(query, context_value, operation_name, variable_values or {})
            if isinstance(done, ExecutionResult):
                return done
            root_value = done or root_value
        return await super().execute(
            query,
            variable_values,
            context_value,
            root_value,
            operation_name,
            allowed_operation_types,
            operation_extensions,
        )

    async def stream(self, query: str | None, *args: Any, **kwargs: Any) -> Any:
        """The results of an operation over a WebSocket."""
        if query:
            await self.documents.prepare(self._schema, query)
        return await super().stream(query, *args, **kwargs)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Give each its code; log those that are ours, once."""
        process_errors(errors)
        if not self.documents.limits.suggests:
            for error in errors:
                error.message = error.message.partition(" Did you mean ")[0]

    async def is_valid(self, text: str) -> bool:
        """Whether this is a document that may be run, some time."""
        await self.documents.prepare(self._schema, text)
        return not self.documents.examine(self._schema, text).errors

    def _get_custom_context_kwargs(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {**super()._get_custom_context_kwargs(*args, **kwargs), "max_coercion_errors": MAX_ERRORS}

    async def _execute_operation(self, execution_context: ExecutionContext, *args: Any, **kwargs: Any) -> Any:
        """Cancelled when its time is up; asyncpg then has Postgres cancel what runs."""
        try:
            async with asyncio.timeout(self.operation_seconds) as timeout:
                return await super()._execute_operation(execution_context, *args, **kwargs)
        except TimeoutError as error:
            if timeout.expired():
                raise TookTooLongError(self.operation_seconds) from error
            raise
        finally:  # in cycles, what was read would stay until the collector comes
            execution_context.context.forget()


def make_schema(limits: DocumentLimits | None = None, *, operation_seconds: float = 20, plans: bool = True) -> Schema:
    """The contract, held to `limits`; without `plans`, every field is answered by its resolver."""
    documents = Documents(limits or DocumentLimits())
    schema = Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[*ERRORS, *EVENTS],
        extensions=[lambda: ExamineDocuments(documents)],
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=Executor,
    )
    schema.documents = documents
    schema.introspecting = Introspecting(schema, documents)
    schema.operation_seconds = operation_seconds
    schema.reading = Reading(schema, documents, operation_seconds) if plans else None
    schema.writing = Writing(schema, documents, operation_seconds) if plans else None
    return schema


class View(SocketView):
    """`/graphql`: POST and GET of operations, the WebSocket, and GraphiQL for browsers."""

    schema: Schema

    def __init__(
        self,
        schema: Schema,
        auth: Auth,
        make_context: MakeContext,
        sockets: Sockets,
        gate: Gate,
        *,
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
        self.sockets = sockets
        self.gate = gate
        self._auth = auth
        self._make_context = make_context
        self._has_graphiql = has_graphiql
        self._graphiql_token = graphiql_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one socket."""
        if scope["type"] == "websocket":
            await self._connect(WebSocket(scope, receive, send))
            return
        request = Request(scope, receive)
        response = await self._answer(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    async def _connect(self, socket: WebSocket) -> None:
        try:
            with self.gate.connected(socket):
                await self.run(socket)
        except (RefusedError, RateLimitError) as error:
            refusal = limited(error) if isinstance(error, RateLimitError) else error
            await socket.send_denial_response(refusal.response())

    async def _answer(self, request: Request) -> Response:
        if self._has_graphiql and graphiql.wants_page(request):
            return graphiql.page(request, self._graphiql_token)
        try:
            return await self._serve(request)
        except RefusedError as error:
            return error.response()
        except RateLimitError as error:
            await asyncio.sleep(LATE_SECONDS)
            return limited(error).response()
        except ClientDisconnect:
            return Response(status_code=400)  # nobody hears it
        except Exception as error:  # noqa: BLE001 - the last who can answer
            verdict = judge(error)
            extensions = dict(verdict.extensions)
            if verdict.code == INTERNAL:
                extensions["id"] = report(error)
            status = 500 if verdict.code == INTERNAL else 200
            return RefusedError(status, verdict.message or str(error), verdict.code, extensions=extensions).response()

    async def _serve(self, request: Request) -> Response:
        """Run what is asked, once all that can be said against it without running it has been looked at."""
        self.gate.hosts.check(request.headers)
        check_simple(request.method, request.headers)
        context = self._make_context(await self._claims(request), False)
        address = self.gate.prepare(context, request)
        self.gate.rates.operation(context.claims.sub, address)
        asked = await read(request, self.gate.limits)
        if isinstance(asked, Asked):
            result = await self._run_one(request, asked, context, address)
            response = self._response(result, process_result(result))
            if response.status_code == TOO_MANY:
                await asyncio.sleep(LATE_SECONDS)
            return response
        self.gate.rates.operation(context.claims.sub, address, len(asked) - 1)
        results = await asyncio.gather(*(self._run_one(request, each, context, address) for each in asked))
        return self._response(None, [process_result(result) for result in results])

    async def _run_one(self, request: Request, asked: Asked, context: Context, address: str) -> ExecutionResult:
        text = await self.gate.text(asked, context, address)
        try:
            result = await self.schema.execute(
                text,
                variable_values=asked.variables,
                context_value=context,
                operation_name=asked.operation_name,
                allowed_operation_types=OperationType.from_http(request.method),  # type: ignore[arg-type]
                operation_extensions=asked.extensions,
            )
        except CannotGetOperationTypeError as error:
            raise RefusedError(400, error.as_http_error_reason()) from error
        except InvalidOperationTypeError as error:
            raise RefusedError(405, "A GET only reads; send a POST.", headers={"Allow": "POST"}) from error
        if result.errors:
            codes = {str((error.extensions or {}).get("code")) for error in result.errors}
            structlog.contextvars.bind_contextvars(errors=sorted(codes))
        return result

    def _response(self, result: ExecutionResult | None, answer: object) -> Response:
        response = Response(self.encode_json(answer), media_type=JSON)
        if isinstance(result, PreExecutionError) and result.errors:
            said = result.errors[0].extensions or {}
            if said.get("code") == RATE_LIMITED:
                response.status_code = TOO_MANY
                response.headers["Retry-After"] = str(said["retryAfterSeconds"])
        return response

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Of a WebSocket; who asks is said later."""
        context = self._make_context(ANONYMOUS, True)
        self.gate.prepare(context, request)
        return context

    async def _claims(self, request: Request) -> Claims:
        """Who asks over HTTP. Raises UnauthenticatedError, UnavailableError, RateLimitError."""
        given = request.headers.getlist("authorization")
        if not given:
            return ANONYMOUS
        address = address_of(request)
        self.gate.rates.sign_in(address)
        try:
            if len(given) > 1:
                raise UnauthenticatedError("There is more than one Authorization header.")
            claims = await self._auth.verify(given[0])
        except UnauthenticatedError:
            self.gate.rates.failed_sign_in(address)
            raise
        if claims.sub:
            structlog.contextvars.bind_contextvars(person=str(claims.sub))
        return claims

    def encode_json(self, data: object) -> bytes:
        """As compact as it gets."""
        return orjson.dumps(data)


schema = make_schema()
