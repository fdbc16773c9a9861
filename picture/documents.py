"""GraphQL documents, parsed and judged once: their shape, whether they are valid, and what they cost.

Strawberry's own limiters walk a fragment again each time that it is spread, which takes exponential time, and its
cache of validated documents hashes the whole tree. Here a fragment is walked once, limits are looked at before
validation (which is quadratic in places), and documents are remembered by their text.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    specified_rules,
    validate,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types.graphql import OperationType

from db.errors import RateLimitError
from picture.beside import beside
from picture.costs import Costs
from picture.failures import BAD_INPUT, MESSAGES, TOO_COMPLEX
from picture.lexer import parse
from picture.shapes import DocumentLimits, too_large, too_long

CACHED_DOCUMENTS = 512
CACHED_CHARACTERS = 10_000  # longer ones are rare, and 512 of them would be megabytes
CACHED_LONG = 8
QUICK_CHARACTERS = 250  # a millisecond
NESTED = MESSAGES[TOO_COMPLEX]
NO_DOCUMENT = parse("{ __typename }", 10)  # stands for what could not be parsed, until its errors are told
MAX_ERRORS = 10  # each costs a walk to its place, and a search for what may have been meant


@dataclass(frozen=True, slots=True)
class Examined:
    """A document, or why it is none, and what is wrong with it; the costs of one with which nothing is."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()
    costs: Costs | None = None


class Documents:
    """Examines documents against one schema, and remembers what it found."""

    def __init__(self, limits: DocumentLimits) -> None:
        self.limits = limits
        self._remembered: OrderedDict[str, Examined] = OrderedDict()
        self._long: OrderedDict[str, Examined] = OrderedDict()
        hidden = () if limits.introspection else (NoSchemaIntrospectionCustomRule,)
        self._rules = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule, *hidden)

    def examine(self, schema: GraphQLSchema, text: str) -> Examined:
        """What `text` is; the same answer for the same text."""
        known = self._known(text)
        if text not in known:
            return self._remember(text, self._examine(schema, text))
        known.move_to_end(text)
        return known[text]

    async def prepare(self, schema: GraphQLSchema, text: str) -> None:
        """Have `examine` know what takes long to find out, which is found out beside the loop."""
        if len(text) > QUICK_CHARACTERS and text not in self._known(text):
            self._remember(text, await beside(self._find, schema, text))

    def _find(self, schema: GraphQLSchema, text: str) -> Examined:
        """In the thread, where others may have waited with the same text."""
        return self._known(text).get(text) or self._examine(schema, text)

    def _known(self, text: str) -> OrderedDict[str, Examined]:
        return self._remembered if len(text) <= CACHED_CHARACTERS else self._long

    def _remember(self, text: str, examined: Examined) -> Examined:
        known = self._known(text)
        known[text] = examined
        if len(known) > (CACHED_DOCUMENTS if known is self._remembered else CACHED_LONG):
            known.popitem(last=False)
        return examined

    def _examine(self, schema: GraphQLSchema, text: str) -> Examined:
        limits = self.limits
        if wrong := too_long(text, limits):
            return Examined(None, (too_complex(wrong),))
        try:
            document = parse(text, limits.max_tokens)
        except GraphQLError as error:
            return Examined(None, (error.with_traceback(None),))
        except RecursionError:
            return Examined(None, (too_complex(NESTED),))
        try:
            if wrong := too_large(document, limits):
                return Examined(document, (too_complex(wrong),))
            errors = validate(schema, document, self._rules, MAX_ERRORS, hide_suggestions=not limits.suggests)
        except RecursionError:
            return Examined(document, (too_complex(NESTED),))
        if errors:
            return Examined(document, tuple(bad_input(error) for error in errors))
        return Examined(document, costs=Costs(schema, document, limits.page_default, limits.page_max))


def bad_input(error: GraphQLError) -> GraphQLError:
    """The error as the client's own; else an integer of 5,000 digits would be ours, as Python refuses to read it."""
    error.extensions = {**(error.extensions or {}), "code": BAD_INPUT}
    return error


def too_complex(message: str) -> GraphQLError:
    """The error for a document that is well-formed and too much."""
    return GraphQLError(message, extensions={"code": TOO_COMPLEX})


class ExamineDocuments(SchemaExtension):
    """Parse and validate through `Documents`, in Strawberry's own places for that."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._examined = Examined(None)
        self._cost: int | None = None

    def on_parse(self) -> Iterator[None]:
        """Set the document, unless it is none."""
        context = self.execution_context
        context.parse_options["max_tokens"] = self._documents.limits.max_tokens
        if context.query:
            self._examined = self._documents.examine(context.schema._schema, context.query)
            context.graphql_document = self._examined.document
            if self._examined.document is None:  # a hook may not raise, and validation is where errors are told
                context.graphql_document, context._provided_operation_name = NO_DOCUMENT, None
        yield

    def on_validate(self) -> Iterator[None]:
        """Set what is wrong with it; an empty list says that validation has been done."""
        error = None if self._examined.errors else self._error()
        self.execution_context.pre_execution_errors = [error] if error else list(self._examined.errors)
        yield

    def get_results(self) -> dict[str, Any]:
        """The cost, for who has asked for it."""
        if self._cost is None or not self.execution_context.context.tells_cost:
            return {}
        return {"cost": {"requested": self._cost, "maximum": self._documents.limits.max_cost}}

    def _error(self) -> GraphQLError | None:
        """What is wrong with this request of a valid document."""
        context, document, costs = self.execution_context, self._examined.document, self._examined.costs
        if document is None or costs is None:
            return None
        name = context.operation_name
        structlog.contextvars.bind_contextvars(operation=name)
        # Strawberry would run the first of several.
        if context._provided_operation_name is None and _has_several(document):
            return bad_input(GraphQLError("Must provide operation name if query contains multiple operations."))
        if context.operation_type is OperationType.SUBSCRIPTION and not context.context.is_stream:
            return bad_input(GraphQLError("Subscriptions are served over the WebSocket at this address."))
        self._cost, most = costs.of(name, context.variables or {}), self._documents.limits.max_cost
        if self._cost > most:
            return too_complex(f"This costs up to {self._cost} values; {most} are allowed. Ask for less.")
        try:
            context.context.spend(self._cost + costs.beside(name))
        except RateLimitError as error:
            return GraphQLError(str(error), original_error=error)
        return None


def _has_several(document: DocumentNode) -> bool:
    return sum(isinstance(definition, OperationDefinitionNode) for definition in document.definitions) > 1
