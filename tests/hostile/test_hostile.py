"""The hostile set: none of it gets a 5xx, a trace, or what is another's; nor does anybody wait long for it.

A kind of request is a module with a list `REQUESTS`; to add one is to add a line there, or a module here.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from tests.client import Client
from tests.conftest import House
from tests.hostile import bodies, documents, headers, tokens
from tests.hostile.requests import Answer, Hostile, Raw

KINDS = {"documents": documents, "bodies": bodies, "headers": headers, "tokens": tokens}
SECONDS = 5  # to tell what hangs; how long others wait is measured by the bench
SECRET = "a fox that nobody else may see"
INSIDE = re.compile(
    r"Traceback|File \"|\.py\b|asyncpg|sqlalchemy|graphql-core|postgres(ql)?://|redis://|\bselect .+ from\b"
    r"|INTERNAL_SERVER_ERROR|SERVICE_UNAVAILABLE|root:x:0|/site-packages/|0x[0-9a-f]{8}",
    re.IGNORECASE,
)


@dataclass
class Scene:
    """Who is attacked, who attacks, and what must not be seen."""

    alice: Client
    mallory: Client
    theirs: str

    async def send(self, hostile: Hostile | Raw) -> Answer:
        if isinstance(hostile, Hostile) and hostile.body:
            hostile = replace(hostile, body=hostile.body.replace(b"{theirs}", self.theirs.encode()))
        return await hostile.send(self.mallory.http, self.mallory.address, self.mallory.token)


@pytest.fixture
async def scene(api: House) -> AsyncIterator[Scene]:
    alice, mallory = api.person("alice"), api.person("mallory")
    fox = await alice.create_generation(prompt=SECRET)
    yield Scene(alice, mallory, fox["id"])
    assert (await alice.require_generation(fox["id"]))["status"] == "QUEUED"
    assert (await alice.query("{ viewer { email } models { slug } }"))["models"]


def wrong(answer: Answer) -> str | None:
    """What the answer should not have been."""
    if answer.status >= 500:
        return f"status {answer.status}"
    if SECRET in answer.text:
        return "another's"
    if found := INSIDE.search(answer.text):
        return f"tells of the inside: {found[0]}"
    return None


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_hostile_gets_nothing_and_holds_nobody_up(kind: str, scene: Scene) -> None:
    faults: dict[str, str] = {}
    for hostile in KINDS[kind].REQUESTS:
        began_at = time.monotonic()
        answer, beside = await asyncio.gather(scene.send(hostile), scene.alice.query("{ __typename }"))
        if fault := wrong(answer):
            faults[hostile.name] = f"{fault}: {answer.text[:300]}"
        assert beside
        if time.monotonic() - began_at > SECONDS:
            faults[hostile.name] = f"{time.monotonic() - began_at:.1f} s"
    assert faults == {}


def test_the_set_is_large_and_every_request_has_a_name_of_its_own() -> None:
    names = [(kind, hostile.name) for kind, module in KINDS.items() for hostile in module.REQUESTS]
    assert len(names) == len(set(names)) >= 250


async def test_those_that_should_pass_do(scene: Scene) -> None:
    """Or what is refused would be so for another reason."""
    harmless = next(each for each in bodies.REQUESTS if each.name == "the same key twice")
    assert (await scene.send(harmless)).status == 200
    good = Hostile("good", tokens.VIEWER, token=tokens.GOOD)
    assert '"viewer":{' in (await scene.send(good)).text


async def test_errors_repeat_little_of_what_was_sent(scene: Scene) -> None:
    for name in ("a long name", "a name of 100,000 characters"):
        hostile = next(each for kind in KINDS.values() for each in kind.REQUESTS if each.name == name)
        assert len((await scene.send(hostile)).text) < 3000
