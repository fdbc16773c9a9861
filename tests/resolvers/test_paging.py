"""Pages by cursor, forwards and backwards."""

from itertools import product
from typing import Any

import pytest

from tests.client import Client, RefusedError

PAGE = """query($first: Int, $after: String, $last: Int, $before: String, $filter: GenerationFilter) {
  generations(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    edges { cursor node { prompt } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }"""


async def page(client: Client, **variables: Any) -> tuple[str, dict[str, Any]]:
    """The prompts of a page, and where it lies."""
    found = (await client.query(PAGE, **variables))["generations"]
    return "".join(edge["node"]["prompt"] for edge in found["edges"]), found["pageInfo"]


@pytest.fixture
async def five(alice: Client) -> None:
    for prompt in "abcde":
        await alice.create_generation(prompt=prompt)


@pytest.mark.usefixtures("five")
async def test_pages_forwards_hold_everything_once_newest_first(alice: Client) -> None:
    seen, after, sizes = "", None, []
    while True:
        prompts, info = await page(alice, first=2, after=after)
        seen, after = seen + prompts, info["endCursor"]
        sizes.append((len(prompts), info["hasPreviousPage"], info["hasNextPage"]))
        if not info["hasNextPage"]:
            break
    assert (seen, sizes) == ("edcba", [(2, False, True), (2, True, True), (1, True, False)])


@pytest.mark.usefixtures("five")
async def test_pages_backwards_hold_everything_once_in_the_same_order(alice: Client) -> None:
    last, info = await page(alice, last=2)
    assert (last, info["hasPreviousPage"], info["hasNextPage"]) == ("ba", True, False)
    middle, info = await page(alice, last=2, before=info["startCursor"])
    assert (middle, info["hasPreviousPage"], info["hasNextPage"]) == ("dc", True, True)
    first, info = await page(alice, last=2, before=info["startCursor"])
    assert (first, info["hasPreviousPage"], info["hasNextPage"]) == ("e", False, True)


@pytest.mark.usefixtures("five")
async def test_a_page_moves_on_when_something_new_comes(alice: Client) -> None:
    _, info = await page(alice, first=2)
    await alice.create_generation(prompt="f")
    assert (await page(alice, first=2, after=info["endCursor"]))[0] == "cb"


@pytest.mark.usefixtures("five")
async def test_a_filter_narrows_pages_and_their_count(alice: Client) -> None:
    generations = (await alice.query("{ generations { edges { node { id createdAt } } } }"))["generations"]["edges"]
    await alice.cancel(generations[0]["node"]["id"])
    middle = generations[2]["node"]["createdAt"]
    for filter, prompts in (
        ({"status": ["CANCELED"]}, "e"),
        ({"status": ["QUEUED", "CANCELED"]}, "edcba"),
        ({"status": []}, ""),
        ({"createdAfter": middle}, "ed"),
        ({"createdBefore": middle}, "ba"),
        ({"modelId": "bm9wZQ=="}, ""),
        ({"batchId": "bm9wZQ=="}, ""),
        ({"status": None, "modelId": None}, "edcba"),
    ):
        found = (await alice.query(PAGE, filter=filter))["generations"]
        assert "".join(edge["node"]["prompt"] for edge in found["edges"]) == prompts, filter
        assert found["totalCount"] == len(prompts)


WRONG: list[dict[str, Any]] = [
    {"first": 1, "last": 1},
    {"first": -1},
    {"first": 101},
    {"last": 101},
    {"after": "no cursor"},
    {"before": "e30"},
]


async def test_a_page_that_cannot_be_is_bad_input(alice: Client, nobody: Client) -> None:
    for client, wrong in product((alice, nobody), WRONG):
        with pytest.raises(RefusedError) as refused:
            await client.query(PAGE, **wrong)
        assert refused.value.code == "BAD_USER_INPUT"


@pytest.mark.usefixtures("five")
async def test_an_empty_cursor_or_null_means_from_the_start(alice: Client) -> None:
    assert (await page(alice, first=None, after=None, last=None, before=None))[0] == "edcba"
    assert (await page(alice, first=0))[0] == ""


@pytest.mark.usefixtures("five")
async def test_the_total_is_counted_only_when_it_is_asked_for(alice: Client, statements: list[str]) -> None:
    await alice.query("{ viewer { email } }")
    statements.clear()
    await alice.query("{ generations(first: 2) { edges { node { prompt } } } }")
    assert (len(statements), "count(" in statements[0]) == (1, False)
