"""The API process: what it says of itself, and what it keeps to itself when something is wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import asyncpg
import pytest

from db.database import UnsafeRoleError
from picture.app import open_resources
from picture.settings import Settings
from tests.client import Client, RefusedError
from tests.conftest import House
from tests.services import Addresses


@dataclass
class Line:
    """A connection to Postgres that a test can cut."""

    host: str
    port: int
    server: asyncio.Server | None = None
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def open(self) -> int:
        """The port at which the other end is reached."""
        self.server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    async def cut(self) -> None:
        """From now on there is nobody."""
        assert self.server
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        their_reader, their_writer = await asyncio.open_connection(self.host, self.port)
        self.writers |= {writer, their_writer}
        await asyncio.gather(self._pass(reader, their_writer), self._pass(their_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def line(addresses: Addresses) -> AsyncIterator[Line]:
    url = urlsplit(addresses.database_url)
    line = Line(url.hostname or "", url.port or 0)
    yield line
    await line.cut()


async def test_a_process_says_that_it_lives_and_that_it_is_ready(api: House) -> None:
    async with api.http.get(f"{api.apis[0]}/healthz") as answer:
        assert (answer.status, await answer.text()) == (200, "ok")
    async with api.http.get(f"{api.apis[0]}/readyz") as answer:
        assert (answer.status, await answer.json()) == (200, {"postgres": "ok", "redis": "ok", "storage": "ok"})


async def test_without_postgres_it_lives_is_not_ready_and_says_so(empty_house: House, line: Line) -> None:
    url = urlsplit(empty_house.addresses.database_url)
    through = url._replace(netloc=f"{url.username}:{url.password}@127.0.0.1:{await line.open()}").geturl()
    address = await empty_house.start_api(database_url=through)
    alice = empty_house.person("alice")
    await alice.query("{ viewer { email } }")
    await line.cut()
    for client in (alice, empty_house.person("bob")):  # who has been seen, and who has not
        with pytest.raises(RefusedError) as refused:
            await client.query("{ models { id } }")
        assert refused.value.code == "SERVICE_UNAVAILABLE"
        assert "127.0.0.1" not in str(refused.value)
    async with empty_house.http.get(f"{address}/readyz") as answer:
        assert (answer.status, (await answer.json())["postgres"]) == (503, "unavailable")
    async with empty_house.http.get(f"{address}/healthz") as answer:
        assert answer.status == 200


async def test_what_nobody_expected_is_told_by_an_id_alone(
    api: House, nobody: Client, addresses: Addresses, capfd: pytest.CaptureFixture[str]
) -> None:
    admin = await asyncpg.connect(addresses.database_admin_url)
    await admin.execute("alter table models rename column licence to license")
    await admin.close()
    with pytest.raises(RefusedError) as refused:
        await nobody.query("{ a: models { licence } }")
    (error,) = refused.value.errors
    assert error["message"] == "Something went wrong on our side."
    assert error["extensions"].keys() == {"code", "id"}
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    logged = capfd.readouterr()
    assert error["extensions"]["id"] in logged.out + logged.err


async def test_what_was_expected_is_one_line_of_the_log(
    api: House, nobody: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    document = 'mutation Delete { deleteImage(id: "x") { deletedId } }'
    await nobody.post({"query": document}, **{"X-Request-Id": "request-of-nobody"})
    lines = [line for line in capfd.readouterr().out.splitlines() if "request-of-nobody" in line]
    assert len(lines) == 1
    assert all(said in lines[0] for said in ("UNAUTHENTICATED", "Delete", "POST", "/graphql", "200"))


async def test_only_listed_origins_may_call_from_a_browser(empty_house: House) -> None:
    address = await empty_house.start_api(allowed_origins=("https://app.example",))
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    for origin, allowed in (("https://app.example", "https://app.example"), ("https://evil.example", None)):
        headers = {**asked, "Origin": origin}
        async with empty_house.http.options(f"{address}/graphql", headers=headers) as answer:
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed


async def test_a_login_that_escapes_row_level_security_is_refused(settings: Settings, addresses: Addresses) -> None:
    unsafe = settings.model_copy(update={"database_url": addresses.database_admin_url})
    async with AsyncExitStack() as stack:
        with pytest.raises(UnsafeRoleError, match="owns no table"):
            await stack.enter_async_context(open_resources(unsafe))


async def test_a_viewer_sees_what_they_may_and_have_used(api: House, alice: Client) -> None:
    document = """{ viewer { email profile { username } limits { generationsPerHour generationsUsedThisHour
      generationsPerDay generationsUsedToday uploadsPerDay uploadsUsedToday storageBytes storageBytesUsed maxConcurrent
      running queued } } }"""
    await alice.create_generation()
    assert (await alice.query(document))["viewer"]["limits"] == {
        "generationsPerHour": 1000,
        "generationsUsedThisHour": 1,
        "generationsPerDay": 1000,
        "generationsUsedToday": 1,
        "uploadsPerDay": 200,
        "uploadsUsedToday": 0,
        "storageBytes": 5_000_000_000,
        "storageBytesUsed": 0,
        "maxConcurrent": 3,
        "running": 0,
        "queued": 1,
    }
