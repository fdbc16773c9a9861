"""Plans, found by what decides their shape: document, operation, whether anybody asks, and a few of the variables."""

from collections import OrderedDict
from collections.abc import Hashable
from enum import Enum
from typing import Any

from graphql import DocumentNode, FragmentDefinitionNode, GraphQLError, OperationDefinitionNode
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues, get_variable_values
from strawberry import Schema

from db.errors import PictureError
from resolvers.plans.compiler import Compiler
from resolvers.plans.errors import UnfitError, UnplannedError
from resolvers.plans.plan import Plan, Request
from schema.context import Context

KEPT_PLANS = 512
PLANNED_CHARACTERS = 10_000  # of a document; longer ones are rare
Key = tuple[str, str | None, bool, Hashable]


class Plans:
    """Finds or makes the plan of a query, and runs it."""

    def __init__(self) -> None:
        self._plans: OrderedDict[Key, Plan | None] = OrderedDict()

    async def answer(
        self,
        schema: Schema,
        context: Context,
        text: str,
        document: DocumentNode,
        name: str | None,
        given: dict[str, Any] | None,
    ) -> str | None:
        """The JSON of `data` for a valid query; None when the resolvers are to answer."""
        operation = _operation(document, name)
        if operation is None or len(text) > PLANNED_CHARACTERS:
            return None
        variables = get_variable_values(schema._schema, operation.variable_definitions or (), given or {})
        if not isinstance(variables, VariableValues):
            return None  # a list of what is wrong with them
        request = Request(schema, context, variables)
        try:
            plan = self._find(text, name, document, operation, request)
            if plan is None:
                return None
            asked = plan.ask(request)
            values = plan.values(context, asked)
        except (UnfitError, PictureError, GraphQLError):
            return None
        row = await context.db.direct.row(plan.statement, context.claims, *values)
        assert row
        for place, call in enumerate(plan.totals, start=1):
            if asked[call].values["known_total"] is None:
                context.counts.put(asked[call].total_key, row[place])
        answer: str = row[0]
        return answer

    def _find(
        self, text: str, name: str | None, document: DocumentNode, operation: OperationDefinitionNode, request: Request
    ) -> Plan | None:
        key = (text, name, request.context.claims.sub is None, _shape(request.variables.coerced))
        if key in self._plans:
            self._plans.move_to_end(key)
            return self._plans[key]
        try:
            plan = Compiler(request, operation, _fragments(document)).compile()
        except UnplannedError:
            plan = None
        self._plans[key] = plan
        if len(self._plans) > KEPT_PLANS:
            self._plans.popitem(last=False)
        return plan


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode) and (
            name is None or (definition.name and definition.name.value == name)
        ):
            return definition
    return None


def _fragments(document: DocumentNode) -> dict[str, FragmentDetails]:
    fragments = (definition for definition in document.definitions if isinstance(definition, FragmentDefinitionNode))
    return {fragment.name.value: FragmentDetails(fragment) for fragment in fragments}


def _shape(value: Any) -> Hashable:
    """What of a variable can decide a statement: presence, null, switches and members of closed lists."""
    if value is None or isinstance(value, bool | Enum):
        return value
    if isinstance(value, dict):
        return tuple((name, _shape(inner)) for name, inner in value.items())
    return type(value).__name__
