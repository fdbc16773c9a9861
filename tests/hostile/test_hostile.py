"""The hostile set: none of it gets a 5xx, a trace, or what is another's; nor does anybody wait long for it.

A kind of request is a module with a list `REQUESTS`; to add one is to add a line there, or a module here.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.hostile import bodies, tokens
from tests.hostile.kinds import KINDS
from tests.hostile.requests import Answer, Hostile
from tests.hostile.scene import HUSH, Process, Scene, open_scene
from tests.services import Services

AT_ONCE = 8
SECONDS = 5  # to tell what hangs; how long others wait is measured by the bench
GROWTH_MIB = 100
INSIDE = re.compile(
    r"Traceback|File \"|\.py\b|asyncpg|sqlalchemy|graphql-core|postgres(ql)?://|redis://|\bselect .+ from\b"
    r"|INTERNAL_SERVER_ERROR|SERVICE_UNAVAILABLE|root:x:0|/site-packages/|0x[0-9a-f]{8}",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
async def opened(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Scene, Process]]:
    async with open_scene(services, tmp_path_factory.mktemp("hostile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def scene(opened: tuple[Scene, Process]) -> Scene:
    return opened[0]


@pytest.fixture(scope="module")
def process(opened: tuple[Scene, Process]) -> Process:
    return opened[1]


def wrong(answer: Answer) -> str | None:
    """What the answer should not have been."""
    if answer.status >= 500:
        return f"status {answer.status}"
    if HUSH in answer.text:
        return "another's"
    if found := INSIDE.search(answer.text):
        return f"tells of the inside: {found[0]}"
    return None


async def sent(scene: Scene, hostile: Any) -> tuple[Answer, str | None]:
    """What came of it, and what is wrong with that."""
    began_at = time.monotonic()
    answer = await hostile.send(scene)
    took = time.monotonic() - began_at
    return answer, wrong(answer) or (f"{took:.1f} s" if took > SECONDS else None)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_hostile_gets_nothing_and_holds_nobody_up(kind: str, scene: Scene) -> None:
    faults: dict[str, str] = {}
    requests = KINDS[kind].REQUESTS
    for begin in range(0, len(requests), AT_ONCE):
        some = requests[begin : begin + AT_ONCE]
        beside = asyncio.create_task(scene.alice.query("{ __typename }"))
        for hostile, (answer, fault) in zip(
            some, await asyncio.gather(*(sent(scene, each) for each in some)), strict=True
        ):
            if fault:
                faults[hostile.name] = f"{fault}: {answer.text[:300]}"
        assert await beside
    assert not faults, "\n".join(f"{name}: {fault}" for name, fault in faults.items())
    assert (await scene.alice.require_generation(scene.theirs))["status"] == "QUEUED"


def test_the_set_is_large_and_every_request_has_a_name_of_its_own() -> None:
    names = [(kind, hostile.name) for kind, module in KINDS.items() for hostile in module.REQUESTS]
    assert len(names) == len(set(names)) >= 250


async def test_those_that_should_pass_do(scene: Scene) -> None:
    """Or what is refused would be so for another reason."""
    harmless = next(each for each in bodies.REQUESTS if each.name == "the same key twice")
    assert (await sent(scene, harmless))[0].status == 200
    good = Hostile("good", tokens.VIEWER, token=tokens.GOOD)
    assert '"viewer":{' in (await sent(scene, good))[0].text


async def test_errors_repeat_little_of_what_was_sent(scene: Scene) -> None:
    for name in ("a long name", "a name of 100,000 characters"):
        hostile = next(each for kind in KINDS.values() for each in kind.REQUESTS if each.name == name)
        assert len((await sent(scene, hostile))[0].text) < 3000


async def test_what_was_hostile_has_left_little_behind(scene: Scene, process: Process) -> None:
    """Nothing of hers has changed, and the process has not grown."""
    document = "{ images { totalCount } promptTemplates { name } viewer { profile { username } } }"
    found = await scene.alice.query(document)
    assert found["images"]["totalCount"] == 3
    assert [each["name"] for each in found["promptTemplates"]].count(HUSH) == 1
    assert found["viewer"]["profile"]["username"] is None
    assert process.memory_mib - process.began_mib < GROWTH_MIB


async def test_the_log_tells_of_no_fault_of_ours(process: Process) -> None:
    faults = [line for line in process.logged().splitlines() if "Traceback" in line or '"error_id"' in line]
    assert faults == []
    assert HUSH not in process.logged()
