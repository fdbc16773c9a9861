"""Mutations of one field whose payload is plain: judged as all others are, run by the same resolver, answered past the
executor and what stands around it, which take as long as the statement."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from graphql import located_error
from strawberry import Schema
from strawberry.types import ExecutionResult

from db.errors import RateLimitError
from picture.documents import Documents
from picture.failures import TookTooLongError
from resolvers.errors import Done
from resolvers.plans.writes import ReadyWrite, Writes
from schema.context import Context


class Writing:
    """Answers what can be answered so."""

    def __init__(self, schema: Schema, documents: Documents, operation_seconds: float) -> None:
        self._schema = schema
        self._documents = documents
        self._operation_seconds = operation_seconds
        self._writes = Writes(schema)

    async def answer(
        self, text: str, context: Context, name: str | None, given: Mapping[str, Any]
    ) -> ExecutionResult | Done | None:
        """The result; None for the executor's; what is done, when only the executor can tell what is wrong with it."""
        ready = self._find(text, context, name, given)
        if ready is None:
            return None
        structlog.contextvars.bind_contextvars(operation=ready.write.operation.name)
        payload = None
        try:
            async with asyncio.timeout(self._operation_seconds) as timeout:
                payload = await ready.make(context)
                return ExecutionResult(data=await ready.data(payload, context), errors=None)
        except Exception as error:  # noqa: BLE001 - told as the executor tells it
            if payload is not None:
                return Done(payload)
            if isinstance(error, TimeoutError) and timeout.expired():
                error = TookTooLongError(self._operation_seconds)
            told = located_error(error, [ready.write.node], [ready.write.key])
            self._schema.process_errors([told])
            return ExecutionResult(data=None, errors=[told])

    def _find(self, text: str, context: Context, name: str | None, given: Mapping[str, Any]) -> ReadyWrite | None:
        examined = self._documents.examine(self._schema._schema, text)
        if examined.document is None or examined.costs is None or context.tells_cost or context.is_stream:
            return None
        ready = self._writes.find(text, examined.document, name, given)
        cost = examined.costs.of(name, given)
        if ready is None or cost > self._documents.limits.max_cost:
            return None
        try:
            context.spend(cost)
        except RateLimitError:
            return None  # what refuses it is asked again, and says so
        return ready
