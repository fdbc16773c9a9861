"""Queries that have a plan skip the executor."""

from typing import Any, cast

import orjson
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from resolvers.plans.plans import Plans
from schema.context import Context


class ReadByPlan(SchemaExtension):
    """Set the result, in Strawberry's own place for that, of a query over HTTP that a plan can answer."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    async def on_execute(self) -> None:  # type: ignore[override]
        """JSON as it comes from Postgres, which the view sends as it is."""
        execution = self.execution_context
        context: Context = execution.context
        if execution.operation_type is not OperationType.QUERY or context.is_stream:
            return
        assert execution.query
        assert execution.graphql_document
        answer = await self._plans.answer(
            execution.schema,
            context,
            execution.query,
            execution.graphql_document,
            execution._provided_operation_name,
            execution.variables,
        )
        if answer is not None:
            execution.result = ExecutionResult(data=cast("Any", orjson.Fragment(answer)), errors=None)
