"""What waits is begun as soon as it may, without the worker's regular look into the queue."""

import pytest

from tests.client import Client
from tests.conftest import House

LONGER_THAN_A_TEST = {"poll_seconds": 60}


async def test_what_comes_during_a_run_is_begun_after_it(api: House, alice: Client, bob: Client) -> None:
    await api.start_worker(**LONGER_THAN_A_TEST)
    api.engine.add(do="pause", name="first", times=1)
    first = await alice.create_generation()
    await api.engine.until("paused")
    others = [await bob.create_generation(), await alice.create_generation()]
    api.engine.release("first")
    for person, fox in ((alice, first), (bob, others[0]), (alice, others[1])):
        assert (await person.until(fox["id"], "COMPLETED"))["attempt"] == 1


@pytest.mark.parametrize("rule", [None, {"do": "node_error", "at_step": 1}])
async def test_who_is_at_their_limit_goes_on_when_one_of_theirs_has_ended(
    api: House, alice: Client, rule: dict[str, object] | None
) -> None:
    await api.start_worker(**LONGER_THAN_A_TEST, max_concurrent=1)
    if rule:
        api.engine.add(**rule)
    foxes = [await alice.create_generation() for _ in range(3)]
    for fox in foxes:
        await alice.until(fox["id"], "COMPLETED", "FAILED")
