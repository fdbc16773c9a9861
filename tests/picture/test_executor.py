"""Our executor answers what graphql-core's does, also what is wrong, word by word."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any

import pytest
import strawberry
from strawberry.extensions import FieldExtension
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.execution import ExecutionResult

from picture.executor import Executor


class Trouble(Exception):
    """What goes wrong on the way."""


@strawberry.enum
class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Leaf(Named):
    count: int = 1
    maybe: int | None = None
    share: float = 0.5
    is_green: bool = True
    colour: Colour = Colour.RED
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    words: list[str] = strawberry.field(default_factory=lambda: ["a", "b"])

    @strawberry.field
    def shout(self, times: int = 1) -> str:
        return self.name.upper() * times

    @strawberry.field
    async def later(self) -> str:
        if self.name == "late":
            raise Trouble("too late")
        return self.name

    @strawberry.field
    def perhaps(self) -> str | None:
        raise Trouble(f"not {self.name}")

    @strawberry.field
    def surely(self) -> str:
        raise Trouble(f"never {self.name}")


@strawberry.type
class Flower(Named):
    smell: str = "sweet"


class Twice(FieldExtension):
    def resolve(self, next_: Any, source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        return 2 * next_(source, info, **kwargs)


@dataclass
class Soon:
    """To be awaited; not to be missed when nobody does."""

    value: Any

    def __await__(self) -> Generator[Any, None, Any]:
        yield from asyncio.sleep(0).__await__()
        return self.value


LEAVES: dict[str, Any] = {
    "good": lambda: [Leaf(name="one"), Leaf(name="two", count=2, colour=Colour.BLUE)],
    "empty": list,
    "tuple": lambda: (Leaf(name="one"),),
    "iterator": lambda: iter([Leaf(name="one"), Leaf(name="two")]),
    "none": lambda: None,
    "with none": lambda: [Leaf(name="one"), None],
    "others": lambda: [Leaf(name="one"), Flower(name="rose"), "no leaf"],
    "awaited": lambda: [Soon(Leaf(name="one")), Leaf(name="two"), Soon(None)],
    "late": lambda: [Leaf(name="one"), Leaf(name="late"), Leaf(name="two")],
    "no list": lambda: 7,
    "error": lambda: Trouble("as a value"),
    "wrong": lambda: [
        Leaf(name=None, count="many", share=float("nan"), is_green="yes", colour="green", at=7, words=[None])  # type: ignore[arg-type, list-item]
    ],
    "odd": lambda: [
        Leaf(name=Trouble("a name"), count=Soon(3), maybe=2**40, share=1, colour=None, words=Soon(["c"]))  # type: ignore[arg-type]
    ],
}


@strawberry.type
class Tree:
    kind: strawberry.Private[str]

    @strawberry.field
    def leaves(self) -> list[Leaf]:
        return LEAVES[self.kind]()  # type: ignore[no-any-return]

    @strawberry.field
    async def branches(self) -> list[Leaf | None] | None:
        return LEAVES[self.kind]()  # type: ignore[no-any-return]

    @strawberry.field
    def nested(self) -> list[list[Leaf]]:
        return [LEAVES[self.kind](), LEAVES[self.kind]()]

    @strawberry.field
    def first(self) -> Leaf | None:
        return LEAVES[self.kind]()[0]  # type: ignore[no-any-return]

    @strawberry.field
    def named(self) -> list[Named]:
        return [*LEAVES[self.kind](), Flower(name="rose")]

    @strawberry.field(extensions=[Twice()])  # type: ignore[untyped-decorator]
    def doubled(self, text: Annotated[str, strawberry.argument(name="of")] = "a") -> str:
        return text


@strawberry.type
class Query:
    @strawberry.field
    def tree(self, kind: str) -> Tree | None:
        return Tree(kind=kind)

    @strawberry.field
    async def trees(self) -> list[Tree]:
        return [Tree(kind=kind) for kind in ("good", "late", "good")]


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def falling(self, kind: str) -> AsyncGenerator[Leaf | None, None]:
        for leaf in [*LEAVES[kind](), *LEAVES[kind]()]:
            yield leaf


ALL = "name count maybe share isGreen colour at words shout"
SELECTIONS = [
    *(f"{field} {{ {ALL} }}" for field in ("leaves", "branches", "nested", "first")),
    "leaves { __typename }", "leaves { name later }", "branches { later name }", "nested { later }",
    "leaves { perhaps }", "branches { surely }", "first { surely }", "leaves { shout(times: $times) }",
    "branches { late: later shout(times: 2) } doubled doubled2: doubled(of: $word)",
    "named { __typename name ... on Leaf { count } ... on Flower { smell } }", "leaves { ...F name @skip(if: $yes) }",
    "branches { words later } leaves { later count @include(if: $yes) }",
]  # fmt: skip
INTROSPECTION = """{ __schema { types { kind name fields(includeDeprecated: true) { name args { name defaultValue }
  type { kind name ofType { name } } } enumValues { name } possibleTypes { name } } } __type(name: "Leaf") { name } }"""
FRAGMENT = "fragment F on Leaf { again: name ... @include(if: $yes) { count share } }"


def asked(selection: str) -> str:
    unused = "good: tree(kind: $word) { doubled(of: $word) leaves { shout(times: $times) name @skip(if: $yes) ...F } }"
    return f"""query($kind: String!, $word: String!, $times: Int, $yes: Boolean!) {{
      tree(kind: $kind) {{ {selection} }} {unused} }} {FRAGMENT}"""


def schema(executor: Any) -> strawberry.Schema:
    return strawberry.Schema(Query, subscription=Subscription, types=[Leaf, Flower], execution_context_class=executor)


def told(result: ExecutionResult) -> Any:
    errors = [(error.message, error.path, error.locations) for error in result.errors or ()]
    return result.data, sorted(errors, key=str)


async def alike(document: str, **variables: Any) -> Any:
    """What both answer."""
    ours, theirs = [
        told(await schema(executor).execute(document, variable_values=variables))
        for executor in (Executor, StrawberryGraphQLCoreExecutionContext)
    ]
    assert ours == theirs, document
    return ours


@pytest.mark.parametrize("kind", LEAVES)
async def test_what_is_right_and_what_is_wrong_is_told_alike(kind: str) -> None:
    answers = [
        await alike(asked(selection), kind=kind, word="good", times=times, yes=yes)
        for selection in SELECTIONS
        for times, yes in ((2, True), (None, False))
    ]
    assert any(errors for _, errors in answers)
    assert any(data and data["good"] for data, _ in answers)


async def test_one_that_fails_takes_along_what_may_not_be_without_it() -> None:
    data, errors = await alike("{ trees { leaves { later } } }")
    assert (data, [path for _, path, _ in errors]) == (None, [["trees", 1, "leaves", 1, "later"]])


async def test_introspection_is_told_alike() -> None:
    data, errors = await alike(INTROSPECTION)
    assert (len(data["__schema"]["types"]) > 10, errors) == (True, [])


async def test_events_are_told_alike() -> None:
    document = f"subscription {{ falling(kind: KIND) {{ {ALL} later perhaps }} }}"
    for kind in ("good", "late", "with none", "others", "wrong", "odd"):
        told_by = []
        for executor in (Executor, StrawberryGraphQLCoreExecutionContext):
            events: Any = await schema(executor).subscribe(document.replace("KIND", f'"{kind}"'))
            told_by.append([told(event) async for event in events])
        assert told_by[0] == told_by[1]
        assert len(told_by[0]) == 2 * len(LEAVES[kind]())
