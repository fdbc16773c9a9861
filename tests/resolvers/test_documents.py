"""Documents and requests that are wrong, or too much."""

from typing import Any

import pytest
from graphql import get_introspection_query

from tests.client import Client, RefusedError
from tests.conftest import House

EXPONENTIAL = "query { ...f0 } " + " ".join(
    f"fragment f{i} on Query {{ ...f{i + 1} a{i}: viewer {{ email }} ...f{i + 1} }}" for i in range(60)
)
IMAGES = "images(first: 100) { edges { node { owner { %s } } } }"
NO_DOCUMENT = [
    "{",
    "",
    "{ nope }",
    "query a { viewer { email } } query b { viewer { email } }",
    "fragment f on Query { __typename }",
]
TOO_MUCH = [
    EXPONENTIAL + " fragment f60 on Query { viewer { email } }",
    "{ viewer { profile { " + "images { edges { node { owner { " * 4 + "id" + " } } } }" * 4 + " } } }",
    "{ " + " ".join(f"a{i}: viewer {{ email }}" for i in range(51)) + " }",
    "{ " + "viewer { email } " * 700 + "}",
    "{ " + "viewer { email } " * 200 + "}",
    "{ a" * 600 + " }" * 600,
    "{ " + "... on Query { " * 400 + "viewer { email }" + " }" * 401,
    "{ " + IMAGES % (IMAGES % (IMAGES % "id")) + " }",
]
NO_OPERATION = [
    "[]",
    '"{ viewer }"',
    "5",
    "null",
    "{",
    "",
    "[" * 50_000,
    '{"query": 5}',
    '{"query": "{a}", "variables": []}',
    '{"query": "{ __typename }", "operationName": 5}',
    '{"n": ' + "9" * 5000,
    '{"query": "\\ud800"}',
    "{}",
]


async def code(client: Client, document: str, **variables: Any) -> str | None:
    with pytest.raises(RefusedError) as refused:
        await client.query(document, **variables)
    return refused.value.code


async def test_a_document_that_is_none_is_bad_input(nobody: Client) -> None:
    for document in NO_DOCUMENT:
        assert await code(nobody, document) == "BAD_USER_INPUT", document


async def test_a_document_that_asks_for_too_much_is_refused(nobody: Client) -> None:
    for document in TOO_MUCH:
        assert await code(nobody, document) == "QUERY_TOO_COMPLEX", document[:100]


async def test_how_much_is_asked_for_counts_variables(nobody: Client) -> None:
    document = "query($n: Int = 100) { %s }" % (IMAGES % "images(first: $n) { edges { node { id } } }")
    assert await code(nobody, document) == "QUERY_TOO_COMPLEX"
    await nobody.query(document, n=1)


async def test_tools_may_ask_for_the_schema(nobody: Client) -> None:
    assert (await nobody.query(get_introspection_query(descriptions=True)))["__schema"]["types"]


SCHEMA = [
    (get_introspection_query(input_value_deprecation=True), {}),
    ("query A($d: Boolean = true) { t: __type(name: \"Image\") { ...T } __schema { directives { name } } } "
     "fragment T on __Type { name fields(includeDeprecated: $d) { name } kind @skip(if: $d) }", {"d": False}),
    ('{ __type(name: "Nothing") { name } }', {}),
]  # fmt: skip


async def test_the_schema_is_told_alike_by_either_way(nobody: Client) -> None:
    for text, variables in SCHEMA:
        asked = {"query": text, "variables": variables}
        (_, told), (_, executed) = await nobody.post(asked), await nobody.post(asked, **{"X-Picture-Cost": "1"})
        assert executed.pop("extensions")["cost"]["requested"] > 0  # what tells its cost is executed on the loop
        assert told == executed, text


async def test_what_is_wrong_with_a_question_for_the_schema_is_said(nobody: Client) -> None:
    typed = 'query($d: Boolean!) { __type(name: "Image") { fields(includeDeprecated: $d) { name } } }'
    assert await code(nobody, typed) == "BAD_USER_INPUT"
    assert await code(nobody, typed, d="perhaps") == "BAD_USER_INPUT"
    assert await code(nobody, "{ __schema { types { nope } } }") == "BAD_USER_INPUT"


async def test_a_schema_that_is_not_shown_is_not_suggested_either(empty_house: House) -> None:
    await empty_house.start_api(introspection=False)
    nobody = Client(empty_house.http, empty_house.apis[0])
    assert await code(nobody, "{ __schema { types { name } } }") == "BAD_USER_INPUT"
    with pytest.raises(RefusedError) as refused:
        await nobody.query("{ model }")
    assert "Did you mean" not in str(refused.value)


async def test_a_body_that_is_no_operation_is_400(nobody: Client) -> None:
    headers = {"Content-Type": "application/json"}
    for body in NO_OPERATION:
        async with nobody.http.post(f"{nobody.address}/graphql", data=body, headers=headers) as answer:
            assert answer.status == 400, body[:100]
            (error,) = (await answer.json())["errors"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_an_integer_of_many_digits_is_bad_input(nobody: Client) -> None:
    assert await code(nobody, "{ models(includeInactive: %s) { id } }" % ("9" * 5000)) == "BAD_USER_INPUT"
    assert await code(nobody, "{ images(first: %s) { totalCount } }" % ("9" * 5000)) == "BAD_USER_INPUT"


async def test_a_body_that_is_too_large_is_413(nobody: Client) -> None:
    status, body = await nobody.post({"query": "{ __typename }", "variables": {"a": "a" * 1_000_000}})
    assert (status, body["errors"][0]["extensions"]["code"]) == (413, "BAD_USER_INPUT")


async def test_a_subscription_is_not_for_plain_http(alice: Client) -> None:
    assert await code(alice, "subscription { myGenerationEvents { cursor } }") == "BAD_USER_INPUT"


async def test_every_answer_names_its_request(nobody: Client) -> None:
    for given, kept in (("my-request-1", True), ("x", False), ("a\tb" * 9, False)):
        async with nobody.http.get(f"{nobody.address}/healthz", headers={"X-Request-Id": given}) as answer:
            assert (answer.headers["X-Request-Id"] == given) is kept


async def test_ids_that_name_nothing_are_null(alice: Client) -> None:
    fox = await alice.create_generation()
    model = (await alice.query('{ model(slug: "flux-schnell") { id } }'))["model"]["id"]
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    found = (await alice.query(document, ids=[fox["id"], "", "Zm9v", "SW1hZ2U6eA==", model, fox["id"].lower()]))[
        "nodes"
    ]
    assert [node and node["__typename"] for node in found] == ["Generation", None, None, None, "Model", None]
    assert found[0]["id"] == fox["id"]
    assert await code(alice, document, ids=[fox["id"]] * 101) == "BAD_USER_INPUT"
    assert (await alice.query("query($id: ID!) { image(id: $id) { id } }", id=fox["id"]))["image"] is None
    assert (await alice.query('{ model(slug: "a\\u0000") { id } }'))["model"] is None
