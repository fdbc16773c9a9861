"""GraphQL documents, parsed and judged once: how deep, how many aliases, how many objects they may ask for.

Strawberry's own limiters walk a fragment again each time that it is spread, which takes exponential time, and its
cache of validated documents hashes the whole tree. Here a fragment is walked once, limits are looked at before
validation (which is quadratic in places), and documents are remembered by their text.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import structlog
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    specified_rules,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document
from strawberry.types.graphql import OperationType

from picture.failures import BAD_INPUT, TOO_COMPLEX
from picture.objects import count_objects

CACHED_DOCUMENTS = 512
CACHED_CHARACTERS = 10_000  # longer ones are rare, and 512 of them would be megabytes
SAME_NAME_COUNT = 100  # validation compares fields of one name in pairs


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """How much one document may ask for."""

    max_tokens: int = 2000
    max_depth: int = 15
    max_aliases: int = 50
    max_objects: int = 5000
    page_default: int = 20
    page_max: int = 100
    introspection: bool = True


@dataclass(frozen=True, slots=True)
class Examined:
    """A document, or why it is none, and what is wrong with it."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()


class Documents:
    """Examines documents against one schema, and remembers what it found."""

    def __init__(self, limits: DocumentLimits) -> None:
        self.limits = limits
        self._remembered = lru_cache(CACHED_DOCUMENTS)(self._examine)

    def examine(self, schema: GraphQLSchema, text: str) -> Examined:
        """What `text` is; the same answer for the same text."""
        examine = self._remembered if len(text) <= CACHED_CHARACTERS else self._examine
        return examine(schema, text)

    def _examine(self, schema: GraphQLSchema, text: str) -> Examined:
        try:
            document = parse(text, max_tokens=self.limits.max_tokens)
        except (GraphQLError, RecursionError):
            return Examined(None)  # Strawberry's own parser finds it again, and reports it
        try:
            if wrong := _over(document, self.limits):
                return Examined(document, (too_complex(wrong),))
            rules = tuple(specified_rules)
            if not self.limits.introspection:
                rules = (*rules, NoSchemaIntrospectionCustomRule)
            return Examined(document, tuple(bad_input(error) for error in validate_document(schema, document, rules)))
        except RecursionError:
            return Examined(document, (too_complex("The document is nested too deeply."),))

    def objects_error(
        self, schema: GraphQLSchema, document: DocumentNode, operation: str | None, variables: Mapping[str, Any] | None
    ) -> GraphQLError | None:
        """Why the operation asks for too much, with these variables; None when it does not."""
        limits = self.limits
        count = count_objects(schema, document, operation, variables or {}, limits.page_default, limits.page_max)
        if count <= limits.max_objects:
            return None
        return too_complex(f"This asks for up to {count} objects; {limits.max_objects} are allowed. Ask for less.")


def bad_input(error: GraphQLError) -> GraphQLError:
    """The error as the client's own; else an integer of 5,000 digits would be ours, as Python refuses to read it."""
    error.extensions = {**(error.extensions or {}), "code": BAD_INPUT}
    return error


def too_complex(message: str) -> GraphQLError:
    """The error for a document that is well-formed and too much."""
    return GraphQLError(message, extensions={"code": TOO_COMPLEX})


def _over(document: DocumentNode, limits: DocumentLimits) -> str | None:
    """Which limit the document passes, each fragment walked once."""
    walk = _Walk(document)
    if walk.depth > limits.max_depth:
        return f"The document is {walk.depth} levels deep; {limits.max_depth} are allowed."
    if walk.aliases > limits.max_aliases:
        return f"The document has {walk.aliases} aliases; {limits.max_aliases} are allowed."
    if walk.names and max(walk.names.values()) > SAME_NAME_COUNT:
        return f"The document names one field more than {SAME_NAME_COUNT} times."
    return None


class _Walk:
    """Depth with all fragments spread; aliases and names as they are written."""

    def __init__(self, document: DocumentNode) -> None:
        self.aliases = 0
        self.names: Counter[str] = Counter()
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._depths: dict[str, int] = {}
        for name in self._fragments:
            self._fragment_depth(name)
        operations = (d for d in document.definitions if isinstance(d, OperationDefinitionNode))
        self.depth = max((self._depth(operation.selection_set) for operation in operations), default=0)

    def _fragment_depth(self, name: str) -> int:
        if name not in self._fragments:
            return 0  # validation will say so
        if name not in self._depths:
            self._depths[name] = 0  # a circle ends here; validation refuses it
            self._depths[name] = self._depth(self._fragments[name].selection_set)
        return self._depths[name]

    def _depth(self, selections: SelectionSetNode | None) -> int:
        deepest = 0
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                self.aliases += selection.alias is not None
                self.names[selection.alias.value if selection.alias else selection.name.value] += 1
                deepest = max(deepest, 1 + self._depth(selection.selection_set))
            elif isinstance(selection, FragmentSpreadNode):
                deepest = max(deepest, self._fragment_depth(selection.name.value))
            else:
                deepest = max(deepest, self._depth(selection.selection_set))  # type: ignore[attr-defined]
        return deepest


class ExamineDocuments(SchemaExtension):
    """Parse and validate through `Documents`, in Strawberry's own places for that."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._examined = Examined(None)

    def on_parse(self) -> Iterator[None]:
        """Set the document, unless it is none."""
        context = self.execution_context
        context.parse_options["max_tokens"] = self._documents.limits.max_tokens
        if context.query:
            self._examined = self._documents.examine(context.schema._schema, context.query)
            context.graphql_document = self._examined.document
        yield

    def on_validate(self) -> Iterator[None]:
        """Set what is wrong with it; an empty list says that validation has been done."""
        error = None if self._examined.errors else self._error()
        self.execution_context.pre_execution_errors = [error] if error else list(self._examined.errors)
        yield

    def _error(self) -> GraphQLError | None:
        """What is wrong with this request of a valid document."""
        context, document = self.execution_context, self._examined.document
        if document is None:
            return None
        structlog.contextvars.bind_contextvars(operation=context.operation_name)
        # Strawberry would run the first of several.
        if context._provided_operation_name is None and _has_several(document):
            return bad_input(GraphQLError("Must provide operation name if query contains multiple operations."))
        if context.operation_type is OperationType.SUBSCRIPTION and not context.context.is_stream:
            return bad_input(GraphQLError("Subscriptions are served over the WebSocket at this address."))
        schema = context.schema._schema
        return self._documents.objects_error(schema, document, context.operation_name, context.variables)


def _has_several(document: DocumentNode) -> bool:
    return sum(isinstance(definition, OperationDefinitionNode) for definition in document.definitions) > 1
