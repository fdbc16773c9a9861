"""Asks for all that there is to say, by documents made from the schema."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_interface_type,
    is_leaf_type,
)

from tests.client import Client
from tests.schema.reading.notebook import ROOTS, SCHEMA, Notebook

NODES = 2  # so many nodes lie on the longest way that is asked for: the thing, and what it leads to
ARGUMENTS = {"Profile.images": "(first: 2)", "Image.thumbnailUrl": "(size: MEDIUM)"}  # below the roots
Composite = GraphQLObjectType | GraphQLInterfaceType


def is_node(kind: Any) -> bool:
    return any(interface.name == "Node" for interface in kind.interfaces)


def selections(kind: Composite, nodes: int = NODES) -> str:
    """All of its fields, and those of what they lead to."""
    parts = ["__typename", *members(kind, kind.fields, nodes)]
    if is_interface_type(kind):
        possible = SCHEMA.get_possible_types(kind)
        types = {(name, str(member.type)) for each in possible for name, member in each.fields.items()}
        ambiguous = {name for name, _ in types if sum(each == name for each, _ in types) > 1}
        for each in possible if kind.name != "Node" else ():  # a node's own are asked for where its type is known
            own = {name: member for name, member in each.fields.items() if name not in kind.fields}
            names = [f"{name}_{each.name}: " if name in ambiguous else "" for name in own]
            written = [name + part for name, part in zip(names, members(each, own, nodes), strict=True)]
            parts.append(f"... on {each.name} {{ {' '.join(['__typename', *written])} }}")
    return f"{{ {' '.join(parts)} }}"


def members(kind: Composite, fields: dict[str, GraphQLField], nodes: int) -> Iterator[str]:
    for name, member in fields.items():
        inner = get_named_type(member.type)
        call = name + ARGUMENTS.get(f"{kind.name}.{name}", "")
        if is_leaf_type(inner):
            yield call
            continue
        left = nodes - is_node(inner)
        if left >= 0:
            yield f"{call} {selections(cast('Composite', inner), left)}"


@dataclass
class Asker:
    """A person who always wants to know everything."""

    client: Client
    notebook: Notebook

    async def ask(self, name: str, **arguments: Any) -> Any:
        """What the field of Query or Mutation answers, whole. Raises RefusedError."""
        root = next(kind for kind in ROOTS.values() if name in kind.fields)
        data = await self.client.query(self._document(root, name, arguments), **arguments)
        self.notebook.answered(root, data)
        return data[name]

    async def done(self, name: str, **arguments: Any) -> Any:
        """What a mutation that works answers beside `errors`."""
        payload = dict(await self.ask(name, **arguments))
        assert payload.pop("errors") == [], name
        return next(value for key, value in payload.items() if key != "__typename")

    async def refused(self, name: str, **arguments: Any) -> Any:
        """The one error of what does not work."""
        (error,) = (await self.ask(name, **arguments))["errors"]
        return error

    async def watch(self, name: str, **arguments: Any) -> AsyncGenerator[Any, None]:
        """What a subscription tells, whole."""
        root = ROOTS["subscription"]
        document = self._document(root, name, arguments)
        async with (
            self.client.socket() as socket,
            aclosing(socket.subscribe(document, name, arguments)) as values,  # type: ignore[type-var]
        ):
            async for value in values:
                self.notebook.answered(root, {name: value})
                yield value

    def _document(self, root: GraphQLObjectType, name: str, arguments: dict[str, Any]) -> str:
        self.notebook.asked(root, name, arguments)
        known = root.fields[name]
        declared = ", ".join(f"${key}: {known.args[key].type}" for key in arguments)
        passed = ", ".join(f"{key}: ${key}" for key in arguments)
        below = selections(cast("Composite", get_named_type(known.type)))
        if not arguments:
            return f"{root.name.lower()} {{ {name} {below} }}"
        return f"{root.name.lower()}({declared}) {{ {name}({passed}) {below} }}"
