"""Limits: counted exactly by whoever comes at once, given back once, by the clock in UTC."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from db.errors import ConflictError, NotFoundError, QuotaExceededError, RateLimitError
from db.generations import IdempotencyKey
from db.limits import DAY_SECONDS, HOUR_SECONDS, Allowance, Usage
from tests.conftest import House
from tests.db.conftest import Execute
from tests.db.people import FILE_BYTES, People, Worker

ONE = Allowance(generations_per_hour=1, generations_per_day=1)
COUNT = "query { generations { totalCount } }"


def key(name: str = "a", input: bytes = b"fox") -> IdempotencyKey:
    return IdempotencyKey(name, input_hash=input)


async def test_two_hundred_at_once_make_as_many_as_the_limit(empty_house: House) -> None:
    await empty_house.start_api(generations_per_hour=20)
    alice = empty_house.person("alice")
    payloads = await asyncio.gather(*(alice.create() for _ in range(200)))
    assert sum(payload["generation"] is not None for payload in payloads) == 20
    refusals = [error for payload in payloads for error in payload["errors"]]
    assert Counter(error["__typename"] for error in refusals) == {"RateLimitError": 180}
    assert {(error["limit"], error["windowSeconds"]) for error in refusals} == {(20, HOUR_SECONDS)}
    assert all(0 < error["retryAfterSeconds"] <= HOUR_SECONDS for error in refusals)
    assert "20 generations an hour" in refusals[0]["message"]
    assert (await alice.query(COUNT))["generations"]["totalCount"] == 20


async def test_fifty_requests_of_one_key_make_one(empty_house: House) -> None:
    await empty_house.start_api(generations_per_hour=2)
    alice = empty_house.person("alice")
    payloads = await asyncio.gather(*(alice.create(idempotencyKey="fox") for _ in range(50)))
    assert len({payload["generation"]["id"] for payload in payloads}) == 1
    assert (await alice.query(COUNT))["generations"]["totalCount"] == 1
    await alice.create_generation()


async def test_a_day_has_a_limit_too(people: People) -> None:
    alice = await people()
    await alice.create(allowance=Allowance(generations_per_day=1))
    with pytest.raises(RateLimitError, match="1 generations a day") as refused:
        await alice.create(allowance=Allowance(generations_per_day=1))
    assert (refused.value.limit, refused.value.window_seconds) == (1, DAY_SECONDS)
    now = datetime.now(UTC)
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    assert abs(refused.value.retry_after_seconds - (midnight - now).total_seconds()) <= 2


async def counted(people: People, name: str = "somebody") -> tuple[int, int]:
    usage: Usage = await (await people(name)).usage()
    return usage.generations_this_hour, usage.generations_today


async def test_what_ends_without_an_image_is_given_back_once(people: People, worker: Worker) -> None:
    alice = await people()
    waits, runs, breaks, done = [await alice.create() for _ in range(4)]
    assert await counted(people) == (4, 4)
    await asyncio.gather(*(alice.cancel(waits) for _ in range(5)))
    assert await counted(people) == (3, 3)
    attempts = {attempt.generation_id: attempt for attempt in [await worker.take() for _ in range(3)]}
    await asyncio.gather(*(alice.cancel(runs) for _ in range(5)))
    assert await counted(people) == (3, 3), "CANCELING is not the end"
    await asyncio.gather(*(worker.fail(attempts[runs.id]) for _ in range(3)), return_exceptions=True)
    assert await counted(people) == (2, 2)
    await asyncio.gather(*(worker.fail(attempts[breaks.id]) for _ in range(3)), return_exceptions=True)
    assert await counted(people) == (1, 1)
    await worker.complete(attempts[done.id])
    for row in (waits, runs, breaks, done):
        await alice.delete(row)
    assert await counted(people) == (1, 1), "deleting gives nothing back"


async def test_a_retry_that_follows_is_not_given_back(people: People, worker: Worker) -> None:
    alice = await people()
    await alice.create()
    await worker.fail(await worker.take(), retry_after_seconds=0)
    await worker.give_back(await worker.take())
    assert await counted(people) == (1, 1)


async def test_deleting_what_waits_cancels_it(people: People) -> None:
    alice = await people()
    row = await alice.create()
    await alice.delete(row)
    assert await counted(people) == (0, 0)


async def test_waiting_that_is_given_up_costs_no_turn(people: People) -> None:
    """Or who cancels a thousand waits as if they had been made."""
    alice = await people()
    rows = [await alice.create() for _ in range(5)]
    await asyncio.gather(*(alice.cancel(row) for row in rows))
    assert (await alice.create()).tag == rows[0].tag


async def test_a_run_that_is_stopped_has_had_its_turn(people: People, worker: Worker) -> None:
    """Or who stops each run shortly before its end is always next."""
    alice = await people()
    first = await alice.create()
    attempt = await worker.take()
    await alice.cancel(first)
    await worker.fail(attempt)
    assert (await alice.create()).tag == first.tag + first.expected_seconds
    second = await worker.take()
    await worker.fail(second)
    assert (await alice.create()).tag == first.tag + first.expected_seconds, "a failure is not their doing"


async def test_windows_begin_anew_by_the_clock_in_utc(people: People, execute: Execute) -> None:
    alice = await people()
    await alice.create(allowance=ONE)
    await execute("update user_rate_limits set hour_started_at = hour_started_at - interval '1 hour'")
    assert await counted(people) == (0, 1)
    await alice.create(allowance=Allowance(generations_per_hour=1, generations_per_day=2))
    assert await counted(people) == (1, 2)
    yesterday = "date_trunc('day', now(), 'UTC') - interval '1 day'"
    await execute(f"update user_rate_limits set hour_started_at = {yesterday}, day_started_at = {yesterday}")
    assert await counted(people) == (0, 0)
    await alice.create(allowance=ONE)
    assert await counted(people) == (1, 1)


async def test_nothing_is_given_back_to_another_window(people: People, execute: Execute) -> None:
    alice = await people()
    old, _ = await alice.create(), await alice.create()
    await execute(
        "update image_generations set created_at = created_at - interval '1 day' where id = :id",
        id=old.id,
    )
    await alice.cancel(old)
    assert await counted(people) == (2, 2)


async def test_a_full_storage_takes_no_more_until_something_is_deleted(
    people: People, worker: Worker, execute: Execute
) -> None:
    alice = await people()
    await alice.create()
    await worker.complete(await worker.take())
    full = Allowance(storage_bytes=FILE_BYTES)
    with pytest.raises(QuotaExceededError) as refused:
        await alice.create(allowance=full)
    assert (refused.value.limit, refused.value.used) == (FILE_BYTES, FILE_BYTES)
    await alice.delete_images()
    await alice.create(allowance=full)
    assert (await alice.usage()).storage_bytes == 0


async def test_a_key_stands_for_what_it_made_as_it_is_now(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    row = await alice.create(key=key())
    await alice.cancel(row)
    again = await alice.create(key=key())
    assert (again.id, again.status) == (row.id, "canceled")
    assert await counted(people, "alice") == (0, 0)
    assert (await bob.create(key=key())).id != row.id
    with pytest.raises(ConflictError, match="another input"):
        await alice.create(key=key(input=b"hare"))
    await alice.delete(row)
    with pytest.raises(NotFoundError):
        await alice.create(key=key())


async def test_a_refused_request_keeps_no_key(people: People) -> None:
    alice = await people()
    await alice.create(allowance=ONE)
    with pytest.raises(RateLimitError):
        await alice.create(key=key(), allowance=ONE)
    hare = await alice.create(key=key(input=b"hare"))
    assert (await alice.create(key=key(input=b"hare"))).id == hare.id


async def test_an_old_key_is_a_new_one(people: People, execute: Execute) -> None:
    alice = await people()
    first = await alice.create(key=key())
    await execute("update idempotency_keys set created_at = now() - interval '24 hours 1 second'")
    second = await alice.create(key=key(input=b"hare"))
    assert second.id != first.id
    assert (await alice.create(key=key(input=b"hare"))).id == second.id
