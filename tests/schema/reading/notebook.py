"""What was asked for and what was answered, by type and field, and what there is to ask for."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_interface_type,
    is_leaf_type,
    is_object_type,
)

from picture.graphql import schema

SCHEMA = schema._schema
ROOTS = {
    name.lower(): cast("GraphQLObjectType", SCHEMA.type_map[name]) for name in ("Query", "Mutation", "Subscription")
}


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_instant(value: Any) -> bool:
    return is_text(value) and datetime.fromisoformat(value).tzinfo == UTC


# What a value of each scalar looks like in JSON.
KINDS = {
    "ID": lambda value: is_text(value) and len(value) > 0,
    "String": is_text,
    "Boolean": lambda value: isinstance(value, bool),
    "Int": lambda value: is_whole(value) and abs(value) < 2**31,
    "BigInt": lambda value: is_whole(value) and 0 <= value < 2**53,
    "Float": is_number,
    "Decimal": lambda value: is_text(value) and re.fullmatch(r"\d+(\.\d+)?", value),
    "DateTime": is_instant,
}


@dataclass
class Notebook:
    """Every object that was seen, and every value of its fields; which arguments and input fields were given."""

    objects: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    seen: dict[tuple[str, str], list[Any]] = field(default_factory=lambda: defaultdict(list))
    given: set[tuple[str, str]] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def answered(self, parent: GraphQLObjectType, answer: dict[str, Any]) -> None:
        """An object, and all below it."""
        self.objects[parent.name].append(answer)
        for key, value in answer.items():
            if key != "__typename":
                name = key.partition("_")[0]
                self.seen[parent.name, name].append(value)
                self._value(f"{parent.name}.{name}", parent.fields[name].type, value)

    def _value(self, at: str, kind: Any, value: Any) -> None:
        if isinstance(kind, GraphQLNonNull):
            self._must(value is not None, at, value)
            kind = kind.of_type
        if value is None:
            return
        if isinstance(kind, GraphQLList):
            self._must(isinstance(value, list), at, value)
            for one in value:
                self._value(at, kind.of_type, one)
        elif isinstance(kind, GraphQLEnumType):
            self._must(value in kind.values, at, value)
        elif is_leaf_type(kind):
            self._must(bool(KINDS[kind.name](value)), at, value)
        else:
            actual = SCHEMA.type_map[value["__typename"]]
            is_possible = actual is kind or (is_interface_type(kind) and SCHEMA.is_sub_type(kind, actual))
            self._must(is_possible, at, actual)
            self.answered(cast("GraphQLObjectType", actual), value)

    def _must(self, holds: bool, at: str, value: Any) -> None:
        if not holds:
            self.wrong.append(f"{at}: {value!r}")

    def asked(self, parent: Any, name: str, arguments: dict[str, Any]) -> None:
        """A field of a root, with what was said to it."""
        for argument, value in arguments.items():
            self.given.add((f"{parent.name}.{name}", argument))
            self._input(parent.fields[name].args[argument].type, value)

    def _input(self, kind: Any, value: Any) -> None:
        inner = get_named_type(kind)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(inner, GraphQLInputObjectType):
                for name, below in one.items():
                    self.given.add((inner.name, name))
                    self._input(inner.fields[name].type, below)


def all_fields() -> set[tuple[str, str]]:
    """Each field of each type of answers."""
    kinds = [kind for kind in SCHEMA.type_map.values() if is_object_type(kind) and not kind.name.startswith("__")]
    return {(kind.name, name) for kind in kinds for name in kind.fields}


def all_inputs() -> set[tuple[str, str]]:
    """Each argument of a field of a root, and each field of each input."""
    fields = [(f"{root.name}.{name}", known) for root in ROOTS.values() for name, known in root.fields.items()]
    calls = {(name, argument) for name, known in fields for argument in known.args}
    inputs = [kind for kind in SCHEMA.type_map.values() if isinstance(kind, GraphQLInputObjectType)]
    return calls | {(kind.name, name) for kind in inputs for name in kind.fields}
