"""Queries that have a plan: judged as all others are, then answered past the executor and what stands around it.

Strawberry's documented way to skip the executor is an extension that sets the result. It costs four context managers
and an execution context, a quarter of what a small query takes; so `Schema.execute` asks here first.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import orjson
import structlog
from graphql import GraphQLError
from strawberry import Schema
from strawberry.types import ExecutionResult

from db.errors import RateLimitError
from picture.documents import Documents
from picture.failures import TookTooLongError
from resolvers.plans.plans import Plans, Ready
from schema.context import Context


class Reading:
    """Answers what a plan can answer."""

    def __init__(self, schema: Schema, documents: Documents, operation_seconds: float) -> None:
        self._schema = schema
        self._documents = documents
        self._operation_seconds = operation_seconds
        self._plans = Plans(schema)

    async def answer(
        self, text: str, context: Context, name: str | None, given: Mapping[str, Any]
    ) -> ExecutionResult | None:
        """The result, its data as it came from Postgres; None for what is no query with a plan, or is to be refused."""
        ready = self._find(text, context, name, given)
        if ready is None:
            return None
        structlog.contextvars.bind_contextvars(operation=ready.name)
        try:
            data = await self._run(ready, context)
        except Exception as error:  # noqa: BLE001 - told as that of any operation
            told = GraphQLError(str(error), original_error=error)
            self._schema.process_errors([told])
            return ExecutionResult(data=None, errors=[told])
        return ExecutionResult(data=cast("Any", orjson.Fragment(data)), errors=None)

    def _find(self, text: str, context: Context, name: str | None, given: Mapping[str, Any]) -> Ready | None:
        examined = self._documents.examine(self._schema._schema, text)
        if examined.document is None or examined.costs is None or context.tells_cost or context.is_stream:
            return None
        ready = self._plans.find(context, text, examined.document, name, given)
        if ready is None:
            return None
        cost = examined.costs.of(name, given)
        if cost > self._documents.limits.max_cost:
            return None
        try:
            context.spend(cost)
        except RateLimitError:
            return None  # what refuses it is asked again, and says so
        return ready

    async def _run(self, ready: Ready, context: Context) -> str:
        try:
            async with asyncio.timeout(self._operation_seconds) as timeout:
                return await ready.run(context)
        except TimeoutError as error:
            if timeout.expired():
                raise TookTooLongError(self._operation_seconds) from error
            raise
