"""Payloads written past the executor say what the executor says."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_interface_type,
    parse,
)

from picture.graphql import schema
from resolvers.plans.writes import Writes
from tests.client import Client
from tests.conftest import House

SEED = 20_261_122
DOCUMENTS = 120
FOX = {"model": "flux-schnell", "prompt": "a red fox", "width": 256, "height": 256, "seed": 7}
INPUTS: list[dict[str, Any]] = [
    {**FOX, "idempotencyKey": "fox"},
    {**FOX, "prompt": ""},
    {**FOX, "model": "no-such-model"},
    {**FOX, "sourceImageId": "nothing"},
    {**FOX, "idempotencyKey": "fox", "seed": 8},
    {**FOX, "tags": ["fox", ""]},
    {**FOX, "seed": -1},
]


class Writer:
    """Random selections of a payload."""

    def __init__(self, schema: GraphQLSchema, chance: random.Random) -> None:
        self._schema = schema
        self._chance = chance
        self.fragments: list[str] = []

    def selection(self, name: str, depth: int = 3) -> str:
        """Some fields of a type, plain or not, under aliases, in fragments."""
        type_: Any = self._schema.type_map[name]
        parts = [self._field(type_, field, depth) for field in type_.fields if self._chance.random() < 0.4]
        if is_interface_type(type_) and self._chance.random() < 0.5:
            one = self._chance.choice(sorted(kind.name for kind in self._schema.get_possible_types(type_)))
            parts.append(f"... on {one} {self.selection(one, depth - 1)}")
        if self._chance.random() < 0.2:
            self.fragments.append(f"fragment F{len(self.fragments)} on {name} {{ __typename }}")
            parts.append(f"...F{len(self.fragments) - 1}")
        parts = [part for part in parts if part] or ["__typename"]
        return "{ " + " ".join(parts) + " }"

    def _field(self, type_: GraphQLObjectType, name: str, depth: int) -> str:
        kind = get_named_type(type_.fields[name].type)
        # Places and signed addresses change from one moment to the next.
        if name in ("queuePosition", "etaSeconds", "heldReason", "isAvailable", "owner") or "url" in name.lower():
            return ""
        alias = f"a{self._chance.randrange(1000)}: " if self._chance.random() < 0.2 else ""
        given = " @include(if: true)" if self._chance.random() < 0.005 else ""
        if not is_composite_type(kind):
            return f"{alias}{name}{given}"
        return f"{alias}{name}{given} {self.selection(kind.name, depth - 1)}" if depth else ""


@pytest.fixture
async def slow(api: House) -> Callable[[Client], Client]:
    """The same person where every field is answered by the executor."""
    address = await api.start_api(plans=False)
    return lambda client: client.at(address)


async def same(quick: Client, slow: Client, document: str, variables: dict[str, Any]) -> Any:
    answers = [(await client.post({"query": document, "variables": variables}))[1] for client in (slow, quick)]
    for answer in answers:
        for error in answer.get("errors", []):
            error.get("extensions", {}).pop("id", None)
    assert answers[0] == answers[1], f"seed {SEED}:\n{document}\n{variables}"
    return answers[0]


async def test_what_is_written_past_the_executor_is_what_it_would_say(
    alice: Client, nobody: Client, slow: Callable[[Client], Client]
) -> None:
    await alice.create_generation(**INPUTS[0])
    chance = random.Random(SEED)
    writes = Writes(schema)
    made = refused = past = 0
    for _ in range(DOCUMENTS):
        writer = Writer(schema._schema, chance)
        body = writer.selection("CreateGenerationPayload")
        document = f"mutation M($input: CreateGenerationInput!) {{ createGeneration(input: $input) {body} }}"
        client = nobody if chance.random() < 0.1 else alice
        input = chance.choice(INPUTS) if chance.random() < 0.6 else INPUTS[0]
        document += "".join(writer.fragments)
        past += writes.find(document, parse(document), None, {"input": INPUTS[0]}) is not None
        answer = await same(client, slow(client), document, {"input": input})
        made += "errors" not in answer
        refused += "errors" in answer
    assert made > DOCUMENTS / 2
    assert refused
    assert past >= 0.8 * DOCUMENTS, "or this compares the executor with itself"


async def test_other_mutations_say_the_same_too(alice: Client, bob: Client, slow: Callable[[Client], Client]) -> None:
    fox = await alice.create_generation()
    await alice.cancel(fox["id"])
    for name in ("cancelGeneration", "retryGeneration", "deleteGeneration", "cancelBatch", "deleteImage"):
        returns = "errors { __typename message code path ... on NotFoundError { missingId } }"
        document = f"mutation($id: ID!) {{ x: {name}(id: $id) {{ {returns} }} }}"
        for id in (fox["id"], "nothing") if name == "cancelGeneration" else ("nothing",):
            await same(alice, slow(alice), document, {"id": id})
        for variables in ({}, {"id": None}, {"id": 7}, {"id": ["a", "b"]}):
            await same(bob, slow(bob), document, variables)
