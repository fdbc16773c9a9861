"""Prompts to begin with: one's own, and what others have made public."""

import asyncio
from typing import Any

from tests.client import Client
from tests.conftest import House

FIELDS = "id name prompt negativePrompt category isPublic useCount createdAt"
ERRORS = "errors { __typename code path message ... on QuotaExceededError { limit used } }"
CREATE = f"""mutation($input: PromptTemplateInput!) {{ createPromptTemplate(input: $input) {{
  promptTemplate {{ {FIELDS} }} {ERRORS} }} }}"""
UPDATE = f"""mutation($id: ID!, $input: PromptTemplateInput!) {{ updatePromptTemplate(id: $id, input: $input) {{
  promptTemplate {{ {FIELDS} }} {ERRORS} }} }}"""
DELETE = f"mutation($id: ID!) {{ deletePromptTemplate(id: $id) {{ deletedId {ERRORS} }} }}"
FIND = "query($category: String, $search: String) { promptTemplates(category: $category, search: $search) { name } }"


async def create(client: Client, name: str = "fox", **said: Any) -> dict[str, Any]:
    input = {"name": name, "prompt": "a red fox in the snow", **said}
    return dict((await client.query(CREATE, input=input))["createPromptTemplate"])


async def names(client: Client, **narrow: Any) -> list[str]:
    return [found["name"] for found in (await client.query(FIND, **narrow))["promptTemplates"]]


async def test_a_template_is_kept_changed_and_deleted_by_its_owner(alice: Client, bob: Client, nobody: Client) -> None:
    made = (await create(alice, " fox ", negativePrompt="blue", category="Animals"))["promptTemplate"]
    assert (made["name"], made["negativePrompt"], made["category"], made["isPublic"], made["useCount"]) == (
        "fox", "blue", "Animals", False, 0,
    )  # fmt: skip
    input = {"name": "hare", "prompt": "a hare", "isPublic": True}
    (error,) = (await bob.query(UPDATE, id=made["id"], input=input))["updatePromptTemplate"]["errors"]
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["id"])
    changed = (await alice.query(UPDATE, id=made["id"], input=input))["updatePromptTemplate"]["promptTemplate"]
    assert (changed["name"], changed["negativePrompt"], changed["category"]) == ("hare", None, None)
    node = f"query($id: ID!) {{ node(id: $id) {{ ... on PromptTemplate {{ {FIELDS} }} }} }}"
    assert (await nobody.query(node, id=made["id"]))["node"] == changed
    assert (await bob.query(DELETE, id=made["id"]))["deletePromptTemplate"]["errors"][0]["code"] == "NOT_FOUND"
    assert (await alice.query(DELETE, id=made["id"]))["deletePromptTemplate"]["deletedId"] == made["id"]
    assert (await alice.query(DELETE, id=made["id"]))["deletePromptTemplate"]["errors"][0]["code"] == "NOT_FOUND"
    assert await names(nobody) == []


async def test_ones_own_come_first_then_what_others_have_made_public(
    alice: Client, bob: Client, nobody: Client
) -> None:
    await create(alice, "b")
    await create(alice, "c", isPublic=True, category="Animals")
    await create(bob, "a", isPublic=True, category="animals", prompt="It's a fox's den; 50% of foxes: a|b & !c")
    await create(bob, "d")
    assert [await names(client) for client in (alice, bob, nobody)] == [["b", "c", "a"], ["a", "d", "c"], ["a", "c"]]
    assert [await names(client, category="ANIMALS") for client in (alice, nobody)] == [["c", "a"], ["a", "c"]]
    for typed in ("fox den", "DEN", "fox's den", "  fox\tden ", "a|b", "50%", "of: foxes!", "!den", "den:*"):
        assert await names(nobody, search=typed) == ["a"], typed
    for typed in ("den snow", "de", "hare", "'snow' | 'den'"):
        assert await names(nobody, search=typed) == [], typed
    await create(bob, "狐", isPublic=True, prompt="雪の中の赤い狐")
    assert await names(nobody, search="赤い狐") == ["狐"]
    assert await names(nobody, search="  ", category="\0") == ["a", "c", "狐"]


async def test_what_a_template_may_not_say_is_named(alice: Client) -> None:
    invalid = {"name": ["", "a\nb", "a\0b"], "prompt": [" ", "a\x1bb"], "category": ["a\x7fb"]}
    lengths = {"name": 100, "prompt": 4000, "negativePrompt": 4000, "category": 50}
    wrong = [(field, value, "INVALID") for field, values in invalid.items() for value in values]
    for field, value, code in (*wrong, *((field, "x" * (most + 1), "TOO_LARGE") for field, most in lengths.items())):
        payload = await create(alice, **{field: value})
        assert [(error["code"], error["path"]) for error in payload["errors"]] == [(code, ["input", field])]
    assert (await create(alice, "x" * 100, prompt="x\n" * 2000, category="x" * 50))["errors"] == []


async def test_of_many_at_once_no_more_are_made_than_one_may_have(empty_house: House) -> None:
    await empty_house.start_api(max_templates=5)
    alice = empty_house.person("alice")
    payloads = await asyncio.gather(*(create(alice, f"fox {n}") for n in range(20)))
    made = [payload["promptTemplate"] for payload in payloads if payload["promptTemplate"]]
    refused = [payload["errors"][0] for payload in payloads if payload["errors"]]
    assert len(made) == 5
    assert {(error["__typename"], error["limit"], error["used"]) for error in refused} == {("QuotaExceededError", 5, 5)}
    await alice.query(DELETE, id=made[0]["id"])
    assert (await create(alice))["errors"] == []
    assert (await create(alice))["errors"][0]["code"] == "QUOTA_EXCEEDED"
