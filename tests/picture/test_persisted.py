"""Documents by their hash: trusted ones from a manifest, others as clients have them remembered."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from picture.app import create_app
from picture.persisted import Remembered
from picture.settings import Settings
from picture.trusted import ManifestError, load
from tests.client import Client, RefusedError, Socket
from tests.conftest import House
from tests.services import Services

MODEL = "query Model($slug: String!) { model(slug: $slug) { slug } }"
VARIABLES = {"slug": "flux-schnell"}
FOUND = {"data": {"model": VARIABLES}}
ASKED = {"GraphQL-Preflight": "1"}


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def by_hash(text: str, **more: Any) -> dict[str, Any]:
    extension = {"version": 1, "sha256Hash": hash_of(text)}
    return {"variables": VARIABLES, "extensions": {"persistedQuery": extension}, **more}


def code(body: dict[str, Any]) -> str:
    said: str = body["errors"][0]["extensions"]["code"]
    return said


@pytest.fixture
async def client(empty_house: House) -> Client:
    await empty_house.start_api(persisted_queries=True)
    return Client(empty_house.http, await empty_house.start_api(persisted_queries=True))


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "persisted-documents.json"
    path.write_bytes(orjson.dumps({hash_of(MODEL): MODEL, "viewer": "{ viewer { email } }"}))
    return path


async def test_a_document_is_remembered_for_all_replicas_and_found_by_its_hash(
    client: Client, empty_house: House
) -> None:
    status, body = await client.post(by_hash(MODEL))
    assert (status, body["errors"][0]["message"], code(body)) == (
        200,
        "PersistedQueryNotFound",
        "PERSISTED_QUERY_NOT_FOUND",
    )
    assert await client.post(by_hash(MODEL, query=MODEL)) == (200, FOUND)
    for address in empty_house.apis:
        assert await client.at(address).post(by_hash(MODEL)) == (200, FOUND)


async def test_over_get_and_over_a_socket_too(client: Client) -> None:
    await client.post(by_hash(MODEL, query=MODEL))
    params = {name: orjson.dumps(value).decode() for name, value in by_hash(MODEL).items()}
    async with client.http.get(f"{client.address}/graphql", params=params, headers=ASKED) as answer:
        assert await answer.json() == FOUND
    async with client.socket() as socket:
        assert await over(socket, by_hash(MODEL)) == FOUND
        with pytest.raises(RefusedError) as refused:
            await over(socket, by_hash("{ viewer { email } }"))
        assert refused.value.code == "PERSISTED_QUERY_NOT_FOUND"
        assert await over(socket, by_hash("{ __typename }", query="{ __typename }"))


async def over(socket: Socket, payload: dict[str, Any]) -> dict[str, Any]:
    await socket.ws.send_json({"id": "1", "type": "subscribe", "payload": payload})
    while (message := await socket.receive())["type"] == "complete":
        pass
    if message["type"] == "error":
        raise RefusedError(message["payload"])
    answer: dict[str, Any] = message["payload"]
    return answer


async def test_what_is_not_what_it_says_or_not_valid_is_not_remembered(client: Client) -> None:
    status, body = await client.post(by_hash(MODEL, query="{ __typename }"))
    assert (status, code(body)) == (400, "BAD_USER_INPUT")
    for text in ("{ nope }", "{", "{ a" * 30 + "}" * 30, "{ __typename } #" + "x" * 10_000):
        await client.post(by_hash(text, query=text))
        assert code((await client.post(by_hash(text)))[1]) == "PERSISTED_QUERY_NOT_FOUND", text[:20]
    for strange in (5, {}, {"version": 2, "sha256Hash": "a"}, {"version": 1, "sha256Hash": 5}):
        status, body = await client.post({"extensions": {"persistedQuery": strange}})
        assert (status, code(body)) == (400, "BAD_USER_INPUT")


async def test_it_is_off_unless_it_is_switched_on(nobody: Client) -> None:
    assert code((await nobody.post(by_hash(MODEL)))[1]) == "PERSISTED_QUERY_NOT_SUPPORTED"
    assert await nobody.post(by_hash(MODEL, query=MODEL)) == (200, FOUND)


async def test_having_many_remembered_is_limited(empty_house: House) -> None:
    address = await empty_house.start_api(persisted_queries=True, operations_per_minute_per_address=40)
    client, texts = Client(empty_house.http, address), [f"{{ a{n}: __typename }}" for n in range(6)]
    statuses = [(await client.post(by_hash(text, query=text)))[0] for text in texts]
    assert statuses == [200, 200, 200, 429, 429, 429]


async def test_only_so_many_are_kept_and_the_latest(services: Services) -> None:
    redis = Redis.from_url(services.redis_url)
    try:
        kept = Remembered(redis, "few", most=3, seconds=60)
        for text in "abcd":
            await kept.keep(hash_of(text), text)
        other = Remembered(redis, "few", most=3, seconds=60)
        found = [await other.get(hash_of(text)) for text in "abcd"]
        assert sum(text is not None for text in found) == 3
        assert found[3] == "d"
        assert 0 < await redis.ttl("few:documents") <= 60
        assert await redis.zcard("few:documents:used") == 3
    finally:
        await redis.aclose()


async def test_without_redis_a_process_knows_its_own() -> None:
    redis = Redis.from_url("redis://127.0.0.1:1")
    kept = Remembered(redis, "nowhere", most=3, seconds=60)
    await kept.keep(hash_of("a"), "a")
    assert [await kept.get(hash_of(text)) for text in "ab"] == ["a", None]
    await redis.aclose()


async def test_trusted_documents_are_run_by_their_ids(empty_house: House, manifest: Path) -> None:
    await empty_house.start_api(trusted_documents=manifest)
    alice = empty_house.person("alice")
    for asked in (
        by_hash(MODEL),
        {"documentId": hash_of(MODEL), "variables": VARIABLES},
        {"documentId": f"sha256:{hash_of(MODEL)}", "variables": VARIABLES},
        {"id": hash_of(MODEL), "variables": VARIABLES},
    ):
        assert await alice.post(asked) == (200, FOUND)
    assert (await alice.post({"id": "viewer"}))[1]["data"]["viewer"] is not None
    assert (await alice.post({"query": "{ __typename }"}))[0] == 200


async def test_nothing_else_is_run_when_only_they_are_allowed(empty_house: House, manifest: Path) -> None:
    address = await empty_house.start_api(trusted_documents=manifest, trusted_only=True, persisted_queries=True)
    nobody = Client(empty_house.http, address)
    assert await nobody.post(by_hash(MODEL)) == (200, FOUND)
    assert await nobody.post({"query": MODEL, "variables": VARIABLES}) == (200, FOUND)
    for asked in (
        {"query": "{ __typename }"},
        {"query": f"{MODEL} "},
        by_hash("{ a }"),
        by_hash("{ a }", query="{ a }"),
    ):
        status, body = await nobody.post(asked)
        assert (status, code(body)) == (400, "DOCUMENT_NOT_TRUSTED"), asked
    async with nobody.socket() as socket:
        with pytest.raises(RefusedError) as refused:
            await over(socket, {"query": "{ __typename }"})
        assert refused.value.code == "DOCUMENT_NOT_TRUSTED"


def test_manifests_are_read_as_the_tools_of_clients_write_them(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    apollo = {"format": "apollo-persisted-query-manifest", "version": 1}
    operation = {"id": "abc", "body": MODEL, "name": "Model", "type": "query"}
    for manifest in ({"abc": MODEL}, {"sha256:abc": MODEL}, {**apollo, "operations": [operation]}):
        path.write_bytes(orjson.dumps(manifest))
        assert load(path) == {"abc": MODEL}
    for wrong in (b"[]", b"{", b'{"a": 5}', orjson.dumps({**apollo, "operations": [5]}), orjson.dumps(apollo)):
        path.write_bytes(wrong)
        with pytest.raises(ManifestError):
            load(path)
    with pytest.raises(ManifestError, match="cannot be read"):
        load(tmp_path / "missing.json")


def test_a_wrong_manifest_ends_the_start() -> None:
    with pytest.raises(ManifestError):
        create_app(Settings.given(trusted_documents=Path("/nowhere.json")))
