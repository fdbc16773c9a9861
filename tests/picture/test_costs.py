"""What an operation costs, and the limits of a request as clients meet them."""

from typing import Any

import pytest
from graphql import get_introspection_query

from picture.documents import Documents, Examined
from picture.graphql import schema
from picture.shapes import DocumentLimits
from tests.client import Client, RefusedError
from tests.conftest import House

LIMITS = DocumentLimits()
GALLERY = """query Gallery($first: Int!) { images(first: $first) { edges { cursor node { id url thumbnailUrl
  width height blurhash owner { username } generation { prompt model { slug } } } }
  pageInfo { hasNextPage } totalCount } }"""


def examine(text: str) -> Examined:
    return Documents(LIMITS).examine(schema._schema, text)


def test_what_tools_and_apps_ask_for_passes() -> None:
    for text, variables in ((get_introspection_query(descriptions=True), {}), (GALLERY, {"first": 100})):
        examined = examine(text)
        assert examined.errors == ()
        assert examined.costs
        assert 1000 < examined.costs.of(None, variables) < LIMITS.max_cost / 2


def cost(text: str, name: str | None = None, **variables: Any) -> int:
    costs = examine(text).costs
    assert costs, examine(text).errors
    first = costs.of(name, variables)
    assert costs.of(name, variables) == first  # as it is remembered
    return first


def test_a_cost_knows_pages_and_lists() -> None:
    page, given = "{ images(%s) { edges { node { id } } } }", "query($n: Int = 7) { images(first: $n) { totalCount } }"
    assert cost("{ viewer { email } }") == 2
    assert cost(page % "first: 10") == 10 * 4
    assert cost(page % "last: 5") == 5 * 4
    assert cost(page.replace("(%s)", "")) == 20 * 4
    assert cost(page % "first: 100000") == 100 * 4
    assert (cost(given), cost(given, n=50), cost(given, n=None)) == (7 * 2, 50 * 2, 7 * 2)
    assert cost("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["a", "b"]) == 2 * 2
    assert cost('{ nodes(ids: ["a", "b", "c"]) { id } }') == 3 * 2


def test_a_cost_is_that_of_the_operation_that_is_run() -> None:
    text = "query a { viewer { email } } query b { images(first: 100) { edges { cursor } } }"
    assert (cost(text, "a"), cost(text, "b"), cost(text, "c")) == (2, 300, 0)


def test_a_fragment_costs_as_often_as_it_is_spread() -> None:
    text = "{ a: viewer { ...f } b: viewer { ...f } } fragment f on Viewer { email profile { id } }"
    assert cost(text) == 2 * 4


async def test_a_cost_is_told_to_who_asks(nobody: Client) -> None:
    document = {"query": GALLERY, "variables": {"first": 10}}
    _, body = await nobody.post(document, **{"X-Picture-Cost": "1"})
    assert body["extensions"] == {"cost": {"requested": cost(GALLERY, first=10), "maximum": 10_000}}
    assert "extensions" not in (await nobody.post(document))[1]
    nested = "{ images(first: 100) { edges { node { owner { images(first: 100) { edges { node { id } } } } } } } }"
    _, body = await nobody.post({"query": nested}, **{"X-Picture-Cost": "1"})
    assert body["extensions"]["cost"]["requested"] > 10_000
    assert body["errors"][0]["extensions"]["code"] == "QUERY_TOO_COMPLEX"
    assert "10000 are allowed" in body["errors"][0]["message"]


async def test_limits_are_settings(empty_house: House) -> None:
    address = await empty_house.start_api(max_depth=2, max_aliases=0, max_root_fields=1, max_cost=100, max_directives=0)
    nobody = Client(empty_house.http, address)
    await nobody.query("{ viewer { email } }")
    for text in (
        "{ viewer { profile { id } } }",
        "{ a: viewer { email } }",
        "{ __typename models { slug } }",
        "{ images(first: 100) { totalCount } }",
        "{ viewer @include(if: true) { email } }",
    ):
        with pytest.raises(RefusedError) as refused:
            await nobody.query(text)
        assert refused.value.code == "QUERY_TOO_COMPLEX", text


async def test_suggestions_have_a_setting_of_their_own(empty_house: House) -> None:
    for settings, suggests in (
        ({}, True),
        ({"introspection": False}, False),
        ({"introspection": False, "suggestions": True}, True),
        ({"suggestions": False}, False),
    ):
        nobody = Client(empty_house.http, await empty_house.start_api(**settings))
        for asked in (
            {"query": "{ model }"},
            {"query": "query($s: ImageScope!) { images(scope: $s) { totalCount } }", "variables": {"s": "PUBLICC"}},
        ):
            _, body = await nobody.post(asked)
            assert ("Did you mean" in body["errors"][0]["message"]) is suggests, (settings, asked)


async def test_variables_are_bounded(nobody: Client) -> None:
    document = "query($id: ID!) { node(id: $id) { id } }"
    for variables, sentence in (
        ({"id": "a" * 300_000}, "have 300009 bytes; 250000 are allowed"),
        ({"id": [[[[[[[[[[[]]]]]]]]]]]}, "more than 10 levels deep"),
        ({"id": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}}}}}}, "more than 10 levels deep"),
    ):
        status, body = await nobody.post({"query": document, "variables": variables})
        (error,) = body["errors"]
        assert (status, error["extensions"]["code"]) == (400, "QUERY_TOO_COMPLEX")
        assert sentence in error["message"]
    async with nobody.socket() as socket:
        with pytest.raises(RefusedError) as refused:
            await anext(socket.subscribe(document, "node", {"id": "a" * 300_000}))
        assert refused.value.code == "QUERY_TOO_COMPLEX"


async def test_arrays_are_for_who_has_set_them(empty_house: House) -> None:
    one = {"query": "{ __typename }"}
    nobody = Client(empty_house.http, await empty_house.start_api())
    assert (await nobody.post([one]))[0] == 400
    nobody = Client(empty_house.http, await empty_house.start_api(max_batch=3, operations_per_minute_per_address=9))
    status, answers = await nobody.post([one, {"query": "{ nope }"}, one])
    assert status == 200
    assert [list(answer) for answer in answers] == [["data"], ["data", "errors"], ["data"]]
    for wrong in ([], [one] * 4, [5], [[one]]):
        assert (await nobody.post(wrong))[0] == 400
    assert (await nobody.post([one] * 3))[0] == 429  # each of them counts
