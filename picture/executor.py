"""Execution of what no plan answers: graphql-core's, without what is the same for every object of a selection.

A page of a gallery has a thousand fields. Each costs here what reading and converting its value does, and what a list's
objects lead to is read before they are answered, by one statement for all of them, so that no field of theirs has to be
awaited (`schema.loading`). What is not usual is left to graphql-core: every error, abstract types, mutations' order.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from graphql import GraphQLObjectType, GraphQLOutputType, OperationType
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.execution.executor import to_nodes
from graphql.pyutils import Path, gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from picture.selections import Field, Selection, Selections
from schema.loading import Ask

_path = partial(tuple.__new__, Path)  # as its own way of being made takes three times as long
LEAVES = frozenset({str, int, float, bool, datetime, Decimal})  # neither awaitable nor an error


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's, which asks once what it asks of all, and reads ahead."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._selections = Selections()
        self._is_read = False  # what the objects that are answered lead to

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> Any:
        """What the fields of an object come to."""
        return self._answer(self._selections.of(self, parent_type, grouped_field_set, path), source_value, path)

    def build_response(self, data: dict[str, Any] | None) -> Any:
        """The answer. Cycles would keep all that was read for it until the collector comes."""
        if self.operation.operation is not OperationType.SUBSCRIPTION and not self.background_futures:
            self._selections.forget()
            del self.async_helpers
        return super().build_response(data)

    def _answer(self, selection: Selection, source: Any, path: Path | None) -> Any:
        results: dict[str, Any] = {}
        waiting: list[str] = []
        try:
            for field in selection.fields:
                try:
                    value = field.read(source)
                    shape, kind = field.shape, type(value)
                    if kind is shape.same:
                        result = value
                    elif shape.convert and kind in LEAVES:
                        result = shape.convert(value)
                    elif value is None and shape.is_nullable:
                        result = None
                    else:
                        result = self._complete(field, value, _path((path, field.name, selection.parent)))
                        if self.is_awaitable(result):
                            waiting.append(field.name)
                except Exception as error:  # noqa: BLE001 – any: it is the field's
                    at = Path(path, field.name, selection.parent)
                    self.handle_field_error(error, field.shape.returns, field.details, at)
                    result = None
                results[field.name] = result
        except Exception:
            if waiting:
                self.settle_in_background([results[name] for name in waiting])
            raise
        return _settled(results, waiting) if waiting else results

    def _answer_each(self, field: Field, selection: Selection, items: Iterable[Any], path: Path) -> Any:
        item_type = field.shape.item
        assert item_type
        results: list[Any] = []
        waiting: list[int] = []
        try:
            for index, item in enumerate(items):
                at = _path((path, index, None))
                try:
                    result = self._answer(selection, item, at)
                    if self.is_awaitable(result):
                        result = self._awaited(result, item_type, field.details, at)
                        waiting.append(index)
                except Exception as error:  # noqa: BLE001 – any: it is the item's
                    self.handle_field_error(error, item_type, field.details, at)
                    result = None
                results.append(result)
        except Exception:
            if waiting:
                self.settle_in_background([results[index] for index in waiting])
            raise
        return _settled(results, waiting) if waiting else results

    def _complete(self, field: Field, value: Any, path: Path) -> Any:
        """What becomes of a value that is no leaf, or not as it should be."""
        shape, below, kind = field.shape, field.below, type(value)
        if below and kind is shape.origin and not shape.item:
            result = self._answer(below, value, path)
        elif below and kind is list and shape.item and {*map(type, value)} <= {shape.origin}:
            result = self._answer_list(field, below, value, path)
        elif self.is_awaitable(value):
            return self._await(field, value, path)
        else:
            info = self.build_resolve_info(shape.definition, to_nodes(field.details), shape.parent, path)
            result = self.complete_value(shape.returns, field.details, info, path, value, None)
        return self._awaited(result, shape.returns, field.details, path) if self.is_awaitable(result) else result

    def _answer_list(self, field: Field, selection: Selection, items: Sequence[Any], path: Path) -> Any:
        leads_on = selection.leads_on and items and not self._is_read
        if not leads_on or not self.context_value.loaders.reader.remembers:
            return self._answer_each(field, selection, items, path)

        async def answer() -> Any:
            await self._read_ahead(selection, items)
            self._is_read = True
            try:
                result = self._answer_each(field, selection, items, path)
            finally:
                self._is_read = False
            return await result if self.is_awaitable(result) else result

        return answer()

    async def _read_ahead(self, selection: Selection, sources: Sequence[Any]) -> None:
        """Have read what these lead to, and what that leads to."""
        loaders, asks = self.context_value.loaders, set[Ask]()
        for lead in selection.leads:
            asks |= getattr(loaders, lead.loader).asks(map(lead.key, sources))
        if asks:
            await loaders.reader.read(asks)
        for field in selection.ways:
            found = [one for value in _known(field, sources) for one in (value if type(value) is list else [value])]
            objects = list({id(one): one for one in found if type(one) is field.shape.origin}.values())
            if objects and field.below:
                await self._read_ahead(field.below, objects)

    async def _await(self, field: Field, value: Any, path: Path) -> Any:
        try:
            result = self._complete(field, await self.with_abort_signal(value), path)
            return await result if self.is_awaitable(result) else result
        except Exception as error:  # noqa: BLE001 – any: it is the field's
            self.handle_field_error(error, field.shape.returns, field.details, path)
            return None

    async def _awaited(self, result: Any, type_: GraphQLOutputType, details: FieldDetailsList, path: Path) -> Any:
        try:
            return await result
        except Exception as error:  # noqa: BLE001 – any: it is the value's
            self.handle_field_error(error, type_, details, path)
            return None


def _known(field: Field, sources: Iterable[Any]) -> list[Any]:
    """What the field holds of these; what is wrong with one is told when it is answered."""
    values = []
    read: Callable[[Any], Any] = field.read
    for source in sources:
        try:
            values.append(read(source))
        except Exception:  # noqa: BLE001, S112 – as above
            continue
    return values


async def _settled(results: Any, waiting: Sequence[Any]) -> Any:
    """The results, once those are there that are waited for."""
    if len(waiting) == 1:
        results[waiting[0]] = await results[waiting[0]]
        return results
    for key, result in zip(waiting, await gather_with_cancel(*(results[key] for key in waiting)), strict=True):
        results[key] = result
    return results
