"""The compiled read path answers what the resolvers answer."""

import random
from collections.abc import AsyncIterator
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, UUID, uuid5

import asyncpg
import orjson
import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type, is_list_type, is_non_null_type

from db.claims import ANONYMOUS, Claims
from db.counts import Counts
from db.database import Database
from db.known_models import KnownModels
from db.limits import Allowance
from db.queue import QueueRules
from db.reading.entries import Column, Many, One, Same
from db.reading.table import ENTRIES
from picture.graphql import Schema, make_schema
from picture.shapes import DocumentLimits
from resolvers.plans.arguments import BINDS
from schema.bounds import Bounds
from schema.context import Context
from schema.node import global_id
from storage.addresses import Addresses
from tests.resolvers.writer import Writer, Written
from tests.services import Addresses as Logins

SEED = 20_261_121
DOCUMENTS = 300
PICTURES = Path(__file__).with_name("pictures.sql")
ALICE, BOB = uuid5(NAMESPACE_DNS, "alice"), uuid5(NAMESPACE_DNS, "bob")
PEOPLE = [Claims(sub=ALICE, role="authenticated"), Claims(sub=BOB, role="authenticated"), ANONYMOUS]
ROOMY = DocumentLimits(
    max_tokens=20_000, max_depth=50, max_aliases=1000, max_directives=1000, max_fragments=1000, max_cost=10**9
)
SECONDS = 10**9  # addresses that do not change while two answers are made
PAGES = """{ images(scope: PUBLIC, first: 9) { edges { cursor node { id model { id } } } }
  mine: images(first: 9) { edges { cursor node { id model { id } } } }
  generations(first: 9) { edges { cursor node { id model { id } } } } }"""
KNOWN_BY_SHAPE = {"PageInfo", "Node"}


@dataclass
class Readers:
    """Both ways to answer, over one database."""

    db: Database
    planned: Schema
    resolved: Schema

    async def answer(self, schema: Schema, claims: Claims, written: Written) -> tuple[bool, Any]:
        """Whether it came from a plan, and the JSON."""
        needs: dict[str, Any] = {
            field.name: None for field in fields(Context) if field.init and field.default is MISSING
        }
        needs |= {
            "db": self.db,
            "rules": QueueRules(),
            "bounds": Bounds(),
            "counts": Counts(),
            "allowance": Allowance(),
        }
        needs["models"] = KnownModels(self.db)
        needs["addresses"] = Addresses("https://pictures.example", "a secret that is long", SECONDS)
        context = Context(**needs, claims=claims)  # nothing is changed or watched here
        result = await schema.execute(
            written.text, variable_values=written.variables, context_value=context, operation_name=written.operation
        )
        errors = [(error.message, error.path, error.extensions) for error in result.errors or ()]
        data = orjson.loads(orjson.dumps(result.data))
        return isinstance(result.data, orjson.Fragment), (data, errors)

    async def both(self, claims: Claims, written: Written) -> tuple[bool, Any]:
        """Whether there was a plan, and the answer, which is the same either way."""
        is_planned, found = await self.answer(self.planned, claims, written)
        if is_planned:  # else resolvers have answered, and which of several errors they meet first is chance
            _, expected = await self.answer(self.resolved, claims, written)
            assert found == expected, f"seed {SEED}, for {claims.sub}:\n{written.text}\n{written.variables}"
        return is_planned, found


@pytest.fixture
async def readers(addresses: Logins) -> AsyncIterator[Readers]:
    connection = await asyncpg.connect(addresses.database_admin_url)
    script = PICTURES.read_text().replace("ALICE", f"'{ALICE}'::uuid").replace("BOB", f"'{BOB}'::uuid")
    await connection.execute(script)
    await connection.close()
    db = Database.connect(addresses.database_url)
    yield Readers(db, make_schema(ROOMY), make_schema(ROOMY, plans=False))
    await db.close()


async def pools(readers: Readers) -> dict[str, list[Any]]:
    """Values for arguments: those that lead somewhere, and those that do not."""
    found = [await readers.answer(readers.resolved, claims, Written(PAGES, {}, None)) for claims in PEOPLE[:2]]
    edges = [edge for _, (data, _) in found for page in data.values() for edge in page["edges"]]
    ids = [edge["node"]["id"] for edge in edges]
    models = [edge["node"]["model"]["id"] for edge in edges if edge["node"]["model"]]
    people = [global_id("Profile", ALICE), global_id("Profile", BOB)]
    cursors = [edge["cursor"] for edge in edges] + ["", "no cursor", "AAAA"]
    sizes = [0, 1, 1, 2, 2, 3, 5, 100] * 8
    return {
        "ID": [*ids, *people, global_id("Image", UUID(int=0)), "SW1hZ2U6", "nothing"],
        "modelId": [*models, "nothing"],
        "ownerId": [*people, models[0]],
        "after": cursors,
        "before": cursors,
        "order": ["NEWEST"] * 6 + ["OLDEST", "OLDEST", "MOST_LIKED"],  # a cursor is of one order
        "first": [*sizes, -1, 101],
        "last": [*sizes, -1, 101],
        "Int": [0, 1, 3, 5],
        "String": ["flux-schnell", "fox", "", "'; --", "猫"],
        "DateTime": ["2026-02-01T12:00:00Z", "2026-02-02T00:00:00.0125+02:00", "1970-01-01T00:00:00Z"],
    }


def likes(type_name: str, field: str) -> float:
    """What has no plan is written too, rarely enough that most documents have one."""
    if (type_name, field) in BINDS or field in ENTRIES.get(type_name, {}):
        return {"Query": 4.0}.get(type_name, 1.0)
    return 1.0 if type_name in KNOWN_BY_SHAPE or type_name.endswith(("Connection", "Edge")) else 0.005


async def test_a_planned_answer_is_the_one_that_the_resolvers_give(readers: Readers) -> None:
    chance = random.Random(SEED)
    writer = Writer(readers.planned._schema, chance, await pools(readers), likes)
    planned = failed = 0
    for _ in range(DOCUMENTS):
        is_planned, (_, errors) = await readers.both(chance.choice([*PEOPLE, *PEOPLE[:2]]), writer.document())
        planned += is_planned
        failed += bool(errors)
    assert planned >= 0.8 * DOCUMENTS, f"{planned} of {DOCUMENTS} were planned"
    assert failed >= 0.02 * DOCUMENTS, "hardly anything went wrong"


def every_field(type_: GraphQLObjectType, depth: int) -> str:
    """All of a type that has an entry, and of what it leads to."""
    written = ["__typename"]
    for name in ENTRIES[type_.name]:
        below = get_named_type(type_.fields[name].type)
        if isinstance(below, GraphQLObjectType):
            written += [f"{name} {every_field(below, depth - 1)}"] if depth and below.name in ENTRIES else []
        else:
            written.append(name)
    return "{ " + " ".join(written) + " }"


PLANNED = [
    # An aggregate over nothing but constants once told one row for each of the page.
    "{ images(scope: PUBLIC) { totalCount } }",
    "{ images(scope: PUBLIC, last: 3) { pageInfo { hasNextPage } } }",
    "{ images(scope: PUBLIC, first: 0) { __typename pageInfo { hasNextPage endCursor } edges { __typename } } }",
    # One key, selected in two places.
    "{ images { edges { cursor } edges { node { id } } ...F } } fragment F on ImageConnection { edges { __typename } }",
    "{ images { edges { node { owner { id @skip(if: true) } generation @include(if: false) { id } } } } }",
    "query($m: ID, $t: DateTime) { images(scope: PUBLIC, filter: {modelId: $m, createdAfter: $t}) { totalCount } }",
    "query($f: ImageFilter = {minRating: 1}) { images(filter: $f) { edges { node { rating } } totalCount } }",
    "query($n: Int, $s: ImageScope! = LIKED) { images(first: $n, scope: $s) { edges { node { likedByMe } } } }",
    "{ models(includeInactive: true) { slug capabilities aspectRatios costPerImage isAvailable } }",
    '{ generation(id: "nonsense") { id } image(id: "") { id } }',
    "{ __typename }",
]
LEFT = [
    f"{{ images {{ {'a' * 64}: totalCount }} }}",
    "{ images(first: 1, last: 1) { totalCount } }",
    '{ images(after: "AAAA") { totalCount } generations { totalCount } }',
    '{ model(slug: "\\u0000") { id } }',
    "{ __schema { queryType { name } } viewer { email } }",
    'mutation { deleteImage(id: "x") { deletedId } }',
    "query A { images { totalCount } } query B { images { totalCount } }",
    '{ images(scope: PUBLIC, filter: {search: "fox"}) { totalCount } }',
]


async def test_what_was_wrong_once_is_right(readers: Readers) -> None:
    for claims in PEOPLE:
        assert [(await readers.both(claims, Written(text, {}, None)))[0] for text in PLANNED] == [True] * len(PLANNED)
        assert [(await readers.both(claims, Written(text, {}, None)))[0] for text in LEFT] == [False] * len(LEFT)


async def test_every_field_with_an_entry_is_answered(readers: Readers) -> None:
    image, generation = (readers.planned._schema.type_map[name] for name in ("Image", "Generation"))
    assert isinstance(image, GraphQLObjectType)
    assert isinstance(generation, GraphQLObjectType)
    document = f"""{{ images(scope: PUBLIC, first: 50) {{ edges {{ node {every_field(image, 2)} }} }}
        mine: images(scope: MINE, first: 50) {{ edges {{ node {every_field(image, 1)} }} }}
        generations(first: 50) {{ edges {{ node {every_field(generation, 2)} }} }} }}"""
    for claims in PEOPLE:
        is_planned, (data, errors) = await readers.both(claims, Written(document, {}, None))
        assert (is_planned, errors, bool(data["images"]["edges"])) == (True, [], True)


def test_every_entry_is_of_a_field_and_as_its_type_says() -> None:
    types: Any = make_schema()._schema.type_map
    told = {(name, field): entry for name, entries in ENTRIES.items() for field, entry in entries.items()}
    for (name, field), entry in told.items():
        type_ = types[name].fields[field].type
        inner = type_.of_type if is_non_null_type(type_) else type_
        assert isinstance(entry, Column) == is_leaf_type(get_named_type(type_)), (name, field)
        assert isinstance(entry, Many) == (is_list_type(inner) and not isinstance(entry, Column)), (name, field)
        if isinstance(entry, Same):
            assert is_non_null_type(type_) == (entry.when is None), (name, field)
        if isinstance(entry, One):  # else a foreign key that may not be null
            assert not is_non_null_type(type_) or (name, field) in {("Image", "owner"), ("Generation", "model")}
    assert all(field in types[name].fields for name, field in BINDS)
