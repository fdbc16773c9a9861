"""Our executor answers of the real schema what graphql-core's does; what can go wrong is in `tests/picture`."""

import gc
import random
from typing import Any

from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from picture.graphql import make_schema
from schema.picture import Generation, Image, Profile
from schema.tag import Tag
from tests.resolvers.test_plans import PEOPLE, ROOMY, Readers, pools, readers
from tests.resolvers.writer import Writer, Written

__all__ = ["readers"]

SEED = 20_261_122
DOCUMENTS = 150
RARE = {"viewer": 0.2, "generationEstimate": 0.0}  # which needs what these contexts have not


def likes(type_name: str, field: str) -> float:
    return RARE.get(field, 4.0 if type_name == "Query" and field in {"images", "generations", "nodes"} else 1.0)


NEIGHBOURS = """{ images(scope: MINE, first: 9) {
  edges { node { id tags { name } owner { username } generation { prompt } } } } }"""


async def test_what_is_executed_is_what_graphql_core_would_execute(readers: Readers) -> None:
    stock = make_schema(ROOMY, plans=False)
    stock.execution_context_class = StrawberryGraphQLCoreExecutionContext
    chance = random.Random(SEED)
    writer = Writer(stock._schema, chance, await pools(readers), likes)
    answered = failed = 0
    for _ in range(DOCUMENTS):
        claims, written = chance.choice(PEOPLE), writer.document()
        answers: list[Any] = [
            (await readers.answer(schema, claims, written))[1] for schema in (readers.resolved, stock)
        ]
        (ours, wrong), (theirs, expected) = answers
        assert (ours, bool(wrong)) == (theirs, bool(expected)), f"seed {SEED}:\n{written.text}\n{written.variables}"
        answered += not wrong
        failed += bool(wrong)
    assert (answered > 0.6 * DOCUMENTS, failed > 0.02 * DOCUMENTS) == (True, True), (answered, failed)


async def test_what_was_read_is_gone_without_the_collector(readers: Readers) -> None:
    gc.collect()
    gc.disable()
    try:
        _, (data, errors) = await readers.answer(readers.resolved, PEOPLE[0], Written(NEIGHBOURS, {}, None))
        assert (len(data["images"]["edges"]) > 0, errors) == (True, [])
        assert [one for one in gc.get_objects() if isinstance(one, Image | Generation | Tag | Profile)] == []
    finally:
        gc.enable()
