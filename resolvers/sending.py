"""Events of a subscription as payloads that go out as they are: one for all who would be told the same.

What only its own row is asked of is projected. Else the operation is executed once for all of the same document,
variables and claims. What goes wrong there is left to Strawberry, which executes it again, and reports it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import orjson
from graphql import DocumentNode, ExecutionResult, execute

from resolvers.projection import HOLE, Pieces, projection_of
from schema.context import Info, outlet

Make = Callable[[str], object]


class Sender:
    """One subscription, which may send by itself."""

    def __init__(self, info: Info) -> None:
        self._info = info
        self._projection = projection_of(info)
        self._out = outlet.get()

    async def send(self, make: Make, shared: dict[object, Any], cursor: str = "") -> bool | None:
        """Send the event that `make` makes, given its cursor. False: nobody is there; None: Strawberry has to tell it.

        `shared` is kept with what the event tells of, for all who hear of that.
        """
        if self._out is None:
            return None
        pieces = self._projected(make, shared)
        payload = cursor.encode().join(pieces) if pieces else await self._executed(make, shared, cursor)
        return None if payload is None else await self._out.send(payload)

    def send_now(self, make: Make, shared: dict[object, Any], cursor: str) -> bool:
        """As `send`, where nothing has to be executed or waited for; False where it has, and nothing is sent."""
        if self._out is None:
            return False
        pieces = self._projected(make, shared)
        return pieces is not None and self._out.send_now(cursor.encode().join(pieces))

    def _projected(self, make: Make, shared: dict[object, Any]) -> Pieces | None:
        if self._projection not in shared:
            shared[self._projection] = self._projection.render(make(HOLE))
        pieces: Pieces | None = shared[self._projection]
        return pieces

    async def _executed(self, make: Make, shared: dict[object, Any], cursor: str) -> bytes | None:
        info = self._info
        variables = orjson.dumps(info.variable_values, default=str, option=orjson.OPT_SORT_KEYS)
        key = (self._projection, info.context.claims, variables, cursor)
        if key not in shared:
            shared[key] = asyncio.create_task(self._execute(make(cursor)))
        task: asyncio.Task[bytes | None] = shared[key]
        return await asyncio.shield(task)  # others may be waiting for it, too

    async def _execute(self, event: object) -> bytes | None:
        """What Strawberry would tell; None when there are errors."""
        raw = self._info._raw_info
        result = execute(
            raw.schema,
            DocumentNode(definitions=(raw.operation, *raw.fragments.values())),
            root_value=event,
            context_value=raw.context,
            variable_values=self._info.variable_values,
            operation_name=raw.operation.name.value if raw.operation.name else None,
            executor_class=self._info.schema.execution_context_class,
        )
        if raw.is_awaitable(result):
            result = await cast("Awaitable[ExecutionResult]", result)
        assert isinstance(result, ExecutionResult)
        return None if result.errors else orjson.dumps({"data": result.data})
