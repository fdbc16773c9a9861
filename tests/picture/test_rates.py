"""Who asks too often is told when to come back; replicas add up, and go on without Redis."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from redis.asyncio import Redis

from db.errors import RateLimitError
from picture.rates import RateLimits, open_rates, whose
from tests.client import Client, ClosedError, RefusedError
from tests.conftest import House
from tests.services import Services

QUERY = "{ __typename }"


async def count(client: Client, most: int, **headers: str) -> int:
    """How many operations pass before one does not."""
    for passed in range(most):
        status, _ = await client.post({"query": QUERY}, **headers)
        if status == 429:
            return passed
    return most


async def test_a_person_is_told_when_to_come_back(empty_house: House) -> None:
    address = await empty_house.start_api(operations_per_minute=5)
    alice, bob = empty_house.person("alice"), empty_house.person("bob")
    assert await count(alice, 10) == 5
    async with alice.http.post(f"{address}/graphql", json={"query": QUERY}, headers=alice.headers) as answer:
        (error,) = (await answer.json())["errors"]
        assert (answer.status, answer.headers["Retry-After"]) == (429, "12")
    assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfterSeconds": 12}
    assert "5 operations of yours" in error["message"]
    assert await count(bob, 5) == 5  # others are none the worse for it


async def test_an_address_is_one_for_all_who_come_from_it(empty_house: House) -> None:
    address = await empty_house.start_api(operations_per_minute_per_address=6)
    nobody = Client(empty_house.http, address)
    assert await count(empty_house.person("alice"), 4) == 4
    assert await count(nobody, 10) == 2
    # uvicorn believes the proxy that the tests are; the network of one subscriber is one address.
    assert await count(nobody, 4, **{"X-Forwarded-For": "2001:db8::1"}) == 4
    assert await count(nobody, 4, **{"X-Forwarded-For": "2001:db8::2:1"}) == 2
    assert await count(nobody, 4, **{"X-Forwarded-For": "2001:db8:1::1"}) == 4


async def test_pictures_and_health_are_not_counted(empty_house: House) -> None:
    address = await empty_house.start_api(operations_per_minute_per_address=2)
    assert await count(Client(empty_house.http, address), 5) == 2
    for path, status in (("/healthz", 200), ("/i/nothing", 404)):
        async with empty_house.http.get(f"{address}{path}") as answer:
            assert answer.status == status


async def test_tokens_that_do_not_verify_count_more(empty_house: House) -> None:
    address = await empty_house.start_api(operations_per_minute_per_address=50)
    guesses = [await Client(empty_house.http, address, f"a.b.{n}").post({"query": QUERY}) for n in range(5)]
    codes = [body["errors"][0]["extensions"]["code"] for _, body in guesses]
    assert codes == ["UNAUTHENTICATED"] * 3 + ["RATE_LIMITED"] * 2


async def test_what_costs_much_counts_more(empty_house: House) -> None:
    await empty_house.start_api(operations_per_minute=20)
    alice = empty_house.person("alice")
    dear = "{ images(first: 100) { edges { node { %s owner { username } } } } }"
    dear = dear % "id url prompt width height seed blurhash format thumbnailUrl createdAt"
    status, body = await alice.post({"query": dear}, **{"X-Picture-Cost": "1"})
    counted = 1 + body["extensions"]["cost"]["requested"] // 1000
    assert (status, counted) == (200, 2)
    assert await count(alice, 30) == 20 - counted


async def test_two_replicas_add_up(empty_house: House) -> None:
    limits = {"operations_per_minute": 10}
    one, two = await empty_house.start_api(**limits), await empty_house.start_api(**limits)
    alice = empty_house.person("alice")
    assert await count(alice.at(one), 7) == 7
    async with asyncio.timeout(5):  # the second learns of the first once it has told of its own
        passed = 0
        while (await alice.at(two).post({"query": QUERY}))[0] == 200:
            passed += 1
            await asyncio.sleep(0.15)
    assert passed in (3, 4)


async def test_operations_over_a_socket_count_as_well(empty_house: House) -> None:
    await empty_house.start_api(operations_per_minute=3)
    async with empty_house.person("alice").socket() as socket:
        for _ in range(3):
            assert await anext(socket.subscribe(QUERY, "__typename", {}))
        with pytest.raises(RefusedError) as refused:
            await anext(socket.subscribe(QUERY, "__typename", {}))
    assert refused.value.code == "RATE_LIMITED"
    assert refused.value.errors[0]["extensions"]["retryAfterSeconds"] > 0


async def test_connections_of_a_person_and_of_an_address_are_counted(empty_house: House) -> None:
    await empty_house.start_api(connections_per_minute=2)
    alice = empty_house.person("alice")
    for _ in range(2):
        async with alice.socket():
            pass
    with pytest.raises(ClosedError) as closed:
        async with alice.socket():
            pass
    assert closed.value.code == 4429
    nobody = Client(empty_house.http, await empty_house.start_api(connections_per_minute_per_address=1))
    async with nobody.socket():
        pass
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with nobody.socket():
            pass
    assert refused.value.status == 429
    assert int(refused.value.headers["Retry-After"]) > 0  # type: ignore[index]


async def test_an_address_has_so_many_connections_at_once(empty_house: House) -> None:
    nobody = Client(empty_house.http, await empty_house.start_api(max_sockets_per_address=2))
    async with nobody.socket(), nobody.socket():
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with nobody.socket():
                pass
        assert refused.value.status == 429
    async with nobody.socket():
        pass


@pytest.fixture
async def away() -> AsyncIterator[Redis]:
    redis = Redis.from_url("redis://127.0.0.1:1")
    yield redis
    await redis.aclose()


async def test_without_redis_each_goes_by_what_it_knows_and_says_so_once(
    away: Redis, capfd: pytest.CaptureFixture[str]
) -> None:
    async with open_rates(away, "nowhere", RateLimits(operations_per_minute=50)) as rates:
        for _ in range(50):
            rates.operation("alice", "1.2.3.4")
            await asyncio.sleep(0.005)
        with pytest.raises(RateLimitError):
            rates.operation("alice", "1.2.3.4")
        rates.operation("bob", "1.2.3.4")
    said = capfd.readouterr().out
    assert said.count("redis_away") == 1
    assert "half=rates" in said or '"half": "rates"' in said


async def test_redis_is_asked_a_few_times_a_second_however_much_is_spent(services: Services) -> None:
    redis = Redis.from_url(services.redis_url)
    limits = RateLimits(operations_per_minute=0, operations_per_minute_per_address=100)

    async def scripts() -> int:
        said = await redis.info("commandstats")
        return sum(said.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha"))

    try:
        async with open_rates(redis, "busy", limits) as rates:
            before, began_at = await scripts(), time.monotonic()
            for number in range(2000):
                rates.operation(None, f"10.0.0.{number % 250}")
                if not number % 100:
                    await asyncio.sleep(0.01)
            asked = await scripts() - before
            assert 1 <= asked <= 3 + (time.monotonic() - began_at) / 0.1
            keys = [key async for key in redis.scan_iter("busy:rate:*")]
            assert len(keys) == 250
            assert all([0 < await redis.pttl(key) <= 60_000 for key in keys])
    finally:
        await redis.aclose()


def test_what_counts_as_one_address() -> None:
    assert whose("10.0.0.1") != whose("10.0.0.2")
    assert whose("::ffff:10.0.0.1") == whose("10.0.0.1")
    assert whose("2001:db8::1") == whose("2001:db8::ffff:1") != whose("2001:db8:0:1::1")
    assert whose(None) == whose("")
