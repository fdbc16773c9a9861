"""Queries that ask for nothing but the schema: judged as all others are, then answered beside the loop."""

from collections.abc import Mapping
from typing import Any, cast

import orjson
import structlog
from graphql import DocumentNode, FieldNode, OperationDefinitionNode, OperationType, execute_sync
from strawberry import Schema
from strawberry.types import ExecutionResult

from db.errors import RateLimitError
from picture.beside import beside
from picture.documents import Documents
from picture.shapes import INTROSPECTION
from schema.context import Context


class Introspecting:
    """Answers what the schema alone can answer."""

    def __init__(self, schema: Schema, documents: Documents) -> None:
        self._schema = schema
        self._documents = documents

    async def answer(
        self, text: str, context: Context, name: str | None, given: Mapping[str, Any]
    ) -> ExecutionResult | None:
        """The result; None for all other queries, and for what is to be refused."""
        document = self._find(text, context, name, given)
        if document is None:
            return None
        structlog.contextvars.bind_contextvars(operation=name)
        data = await beside(self._execute, document, given, name)
        return ExecutionResult(data=cast("Any", orjson.Fragment(data)), errors=None) if data else None

    def _find(self, text: str, context: Context, name: str | None, given: Mapping[str, Any]) -> DocumentNode | None:
        if INTROSPECTION[0] not in text or context.tells_cost or context.is_stream:
            return None
        examined = self._documents.examine(self._schema._schema, text)
        if examined.document is None or examined.costs is None or not _is_introspection(examined.document):
            return None
        cost = examined.costs.of(name, given)
        if cost > self._documents.limits.max_cost:
            return None
        try:
            context.spend(cost + examined.costs.beside(name))
        except RateLimitError:
            return None  # what refuses it is asked again, and says so
        return examined.document

    def _execute(self, document: DocumentNode, given: Mapping[str, Any], name: str | None) -> bytes | None:
        result = execute_sync(self._schema._schema, document, variable_values=dict(given), operation_name=name)
        return None if result.errors else orjson.dumps(result.data)


def _is_introspection(document: DocumentNode) -> bool:
    """Whether it is one query of these fields."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation is not OperationType.QUERY:
        return False
    return all(
        isinstance(node, FieldNode) and node.name.value in INTROSPECTION
        for node in operations[0].selection_set.selections
    )
