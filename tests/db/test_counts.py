"""Counts: exact up to 10,000, and beyond that remembered for less than a minute."""

from db.counts import EXACT_COUNT, Counts
from tests.client import Client
from tests.db.conftest import Execute

MANY = EXACT_COUNT + 1


def test_only_what_is_too_large_to_be_counted_each_time_is_remembered() -> None:
    counts = Counts()
    counts.put("few", EXACT_COUNT)
    counts.put("many", MANY)
    assert (counts.get("few"), counts.get("many"), counts.get("never")) == (None, MANY, None)


def test_what_is_not_fresh_is_forgotten() -> None:
    counts = Counts(fresh_seconds=-1)
    counts.put("many", MANY)
    assert counts.get("many") is None


def test_the_longest_unused_goes_when_there_are_too_many() -> None:
    counts = Counts(kept=2)
    counts.put("a", MANY)
    counts.put("b", MANY)
    assert counts.get("a") == MANY
    counts.put("c", MANY)
    assert (counts.get("a"), counts.get("b"), counts.get("c")) == (MANY, None, MANY)


async def test_a_total_is_exact_as_far_as_it_is_promised(alice: Client, bob: Client, execute: Execute) -> None:
    async def total(client: Client) -> int:
        found = await client.query("{ images(scope: PUBLIC) { totalCount } }")
        return int(found["images"]["totalCount"])

    async def publish(number: int) -> None:
        await execute(
            """insert into images (user_id, is_public, publication_id)
               select :owner, true, gen_random_uuid() from generate_series(1, :number)""",
            owner=alice.sub,
            number=number,
        )

    await alice.query("{ viewer { email } }")
    await publish(EXACT_COUNT - 1)
    assert await total(alice) == EXACT_COUNT - 1
    await publish(1)
    assert await total(bob) == EXACT_COUNT
    await publish(5)
    assert await total(alice) == EXACT_COUNT + 5
    await publish(1)
    assert await total(bob) == EXACT_COUNT + 5  # as of a moment ago, whoever asks
    assert (await alice.query("{ images(scope: MINE) { totalCount } }"))["images"]["totalCount"] == EXACT_COUNT + 6
