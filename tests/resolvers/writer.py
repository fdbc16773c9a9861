"""Writes random valid documents from a schema, the same ones for the same seed."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

MAX_DEPTH = 7
Composite = GraphQLObjectType | GraphQLInterfaceType


@dataclass
class Written:
    """A document, and what goes with it."""

    text: str
    variables: dict[str, Any]
    operation: str | None


@dataclass
class Writer:
    """`pools` holds values for arguments: by argument's name, else by type's; `likes` weighs a field of a type."""

    schema: GraphQLSchema
    chance: random.Random
    pools: Mapping[str, Sequence[Any]]
    likes: Callable[[str, str], float]
    _declared: list[str] = field(default_factory=list)
    _variables: dict[str, Any] = field(default_factory=dict)
    _fragments: list[str] = field(default_factory=list)
    _spreads: dict[str, list[str]] = field(default_factory=dict)
    _bare: set[tuple[str, str]] = field(default_factory=set)
    _names: int = 0

    def document(self) -> Written:
        """A query of its own, sometimes beside another that is not asked for."""
        self._declared, self._variables, self._fragments, self._spreads, self._bare = [], {}, [], {}, set()
        query = self.schema.query_type
        assert query
        selections = self._selections(query, 0)
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        parts = [f"query Asked{declared} {selections}", *self._fragments]
        if self._maybe(0.2):
            parts.insert(self.chance.randrange(2), "query Other { __typename }")
            return Written("\n".join(parts), self._variables, "Asked")
        return Written("\n".join(parts), self._variables, self.chance.choice([None, "Asked"]))

    def _maybe(self, probability: float) -> bool:
        return self.chance.random() < probability

    def _name(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    def _selections(self, type_: Composite, depth: int) -> str:
        names = [name for name in type_.fields if self._fits(type_, name, depth)]
        weights = [self.likes(type_.name, name) for name in names]
        written = []
        if any(weights):
            count = self.chance.choice([1, 2, 2, 3, 4, 6] if depth else [1, 1, 2, 3])
            written = [self._field(type_, name, depth) for name in self.chance.choices(names, weights, k=count)]
        if not written or self._maybe(0.1):
            written.append(self._directed("__typename"))
        if self._maybe(0.15):
            written.append(self._inline(type_, depth))
        if self._maybe(0.15):
            written.append(self._spread(type_, depth))
        self.chance.shuffle(written)
        return "{ " + " ".join(written) + " }"

    def _fits(self, type_: Composite, name: str, depth: int) -> bool:
        below = get_named_type(type_.fields[name].type)
        return is_leaf_type(below) or (depth < MAX_DEPTH and isinstance(below, Composite))

    def _field(self, type_: Composite, name: str, depth: int) -> str:
        definition = type_.fields[name]
        arguments = self._arguments(definition)
        # One name stands for one question: with arguments it is used bare once.
        is_bare = not definition.args or (type_.name, name) not in self._bare
        if definition.args:
            self._bare.add((type_.name, name))
        alias = "" if is_bare and self._maybe(0.8) else f"{self._name('a')}: "
        below = get_named_type(definition.type)
        selections = "" if is_leaf_type(below) else f" {self._selections(_composite(below), depth + 1)}"
        return self._directed(f"{alias}{name}{arguments}", selections)

    def _inline(self, type_: Composite, depth: int) -> str:
        condition = self.chance.choice(["", f" on {self._narrowed(type_).name}"])
        inner = self._narrowed(type_) if not condition else _composite(self.schema.type_map[condition[4:]])
        return self._directed(f"...{condition}", f" {self._selections(inner if condition else type_, depth)}")

    def _narrowed(self, type_: Composite) -> Composite:
        if isinstance(type_, GraphQLInterfaceType):
            return _composite(self.chance.choice(sorted(self.schema.get_possible_types(type_), key=str)))
        return _composite(self.chance.choice([type_, *type_.interfaces]))

    def _spread(self, type_: Composite, depth: int) -> str:
        known = self._spreads.setdefault(type_.name, [])
        if known and self._maybe(0.5):
            return self._directed(f"...{self.chance.choice(known)}")
        name = self._name("F")
        self._fragments.append(f"fragment {name} on {type_.name} {self._selections(type_, max(depth, MAX_DEPTH - 2))}")
        known.append(name)
        return self._directed(f"...{name}")

    def _directed(self, what: str, selections: str = "") -> str:
        if not self._maybe(0.12):
            return what + selections
        word = self.chance.choice(["skip", "include"])
        return f"{what} @{word}(if: {self._switch(word)}){selections}"

    def _switch(self, word: str) -> str:
        stays = self._maybe(0.7) == (word == "include")
        if self._maybe(0.4):
            return str(stays).lower()
        return self._variable("Boolean!", stays, default=None)

    def _arguments(self, definition: GraphQLField) -> str:
        written = [self._argument(name, argument) for name, argument in definition.args.items()]
        given = [argument for argument in written if argument]
        return f"({', '.join(given)})" if given else ""

    def _argument(self, name: str, argument: GraphQLArgument) -> str:
        is_required = isinstance(argument.type, GraphQLNonNull) and argument.default is None
        if not is_required and self._maybe(self._absent(name)):
            return ""
        value = self._value(name, argument.type)
        if self._maybe(0.5):
            return f"{name}: {self._literal(value, argument.type, holds_variables=True)}"
        return f"{name}: {self._argument_variable(value, argument)}"

    def _absent(self, name: str) -> float:
        return {"last": 0.93, "before": 0.85, "after": 0.7, "first": 0.3}.get(name, 0.5)

    def _argument_variable(self, value: Any, argument: GraphQLArgument) -> str:
        type_ = argument.type
        if (
            isinstance(type_, GraphQLNonNull)
            and argument.default is not None
            and value is not None
            and self._maybe(0.5)
        ):
            return self._variable(str(type_.of_type), value, default=self._literal(value, type_))
        if not isinstance(type_, GraphQLNonNull) and self._maybe(0.15):
            return self._variable(str(type_), None, default=None, is_sent=False)
        default = self._literal(value, type_) if value is not None and self._maybe(0.2) else None
        return self._variable(str(type_), value, default=default, is_sent=default is None or self._maybe(0.5))

    def _variable(self, type_: str, value: Any, *, default: str | None, is_sent: bool = True) -> str:
        name = self._name("v")
        self._declared.append(f"${name}: {type_}{f' = {default}' if default else ''}")
        if is_sent:
            self._variables[name] = value
        return f"${name}"

    def _literal(self, value: Any, type_: GraphQLInputType, *, holds_variables: bool = False) -> str:
        inner = get_named_type(type_)
        if isinstance(value, dict) and isinstance(inner, GraphQLInputObjectType):
            fields = {name: inner.fields[name].type for name in value}
            return (
                "{"
                + ", ".join(f"{name}: {self._part(value[name], fields[name], holds_variables)}" for name in value)
                + "}"
            )
        if isinstance(value, list):
            return "[" + ", ".join(self._literal(one, type_) for one in value) + "]"
        return str(value) if isinstance(value, _Word) else json.dumps(value)

    def _part(self, value: Any, type_: GraphQLInputType, holds_variables: bool) -> str:
        if holds_variables and self._maybe(0.3):
            return self._variable(str(type_), value, default=None)
        return self._literal(value, type_, holds_variables=holds_variables)

    def _value(self, name: str, type_: GraphQLInputType) -> Any:
        """A JSON value."""
        if isinstance(type_, GraphQLNonNull):
            return self._value_of(name, type_.of_type)
        return None if self._maybe(0.1) else self._value_of(name, type_)

    def _value_of(self, name: str, type_: GraphQLInputType) -> Any:
        if isinstance(type_, GraphQLList):
            return [self._value(name, type_.of_type) for _ in range(self.chance.randrange(4))]
        if isinstance(type_, GraphQLEnumType):
            return _Word(self.chance.choice(self.pools.get(name) or [*type_.values]))
        if isinstance(type_, GraphQLInputObjectType):
            names = self.chance.sample([*type_.fields], k=self.chance.choice([0, 1, 1, 2]))
            return {name: self._value(name, type_.fields[name].type) for name in names}
        assert isinstance(type_, GraphQLNamedType)
        if type_.name == "Boolean":
            return self._maybe(0.5)
        return self.chance.choice(self.pools.get(name) or self.pools[type_.name])


class _Word(str):
    """The name of an enum's value."""

    __slots__ = ()


def _composite(type_: Any) -> Composite:
    assert isinstance(type_, Composite)
    return type_
