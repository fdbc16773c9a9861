"""How often Postgres is asked, counted on the wire."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from tests.client import Client
from tests.conftest import House
from tests.resolvers.test_plans import ALICE, BOB, PICTURES
from tests.services import Addresses
from tests.tap import Tap, open_tap

GALLERY = """query($scope: ImageScope!, $first: Int!, $after: String) {
  images(scope: $scope, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
    edges { cursor node { id url thumbnailUrl tags { name } likeCount likedByMe owner { username }
      generation { prompt model { slug } images { id } } } } } }"""
SMALL = "query($scope: ImageScope!, $first: Int!) { images(scope: $scope, first: $first) { edges { cursor } } }"
ONE = "query($id: ID!) { generation(id: $id) { id status model { slug } images { id url } } }"


@dataclass
class Tapped:
    """A person at an API whose every statement is counted."""

    client: Client
    tap: Tap

    async def counts(self, document: str, **variables: Any) -> tuple[int, int]:
        """Statements and round trips of a document that was asked once before."""
        await self.client.query(document, **variables)
        self.tap.clear()
        await self.client.query(document, **variables)
        return self.tap.statements, self.tap.round_trips


@pytest.fixture
async def tap(addresses: Addresses) -> AsyncIterator[Tap]:
    connection = await asyncpg.connect(addresses.database_admin_url)
    script = PICTURES.read_text().replace("ALICE", f"'{ALICE}'::uuid").replace("BOB", f"'{BOB}'::uuid")
    await connection.execute(script)
    await connection.close()
    async with open_tap(addresses.database_url) as tap:
        yield tap


async def tapped(house: House, tap: Tap, **changes: Any) -> Tapped:
    await house.start_api(database_url=tap.url, revoked_seconds=300, **changes)
    return Tapped(house.person("alice"), tap)


@pytest.mark.parametrize("document", [GALLERY, SMALL])
async def test_a_page_of_a_gallery_is_one_statement_and_one_round_trip(
    tap: Tap, empty_house: House, document: str
) -> None:
    alice = await tapped(empty_house, tap)
    for scope in ("MINE", "PUBLIC", "ARCHIVED", "LIKED"):
        for first in (0, 1, 5, 100):
            assert await alice.counts(document, scope=scope, first=first) == (1, 1), (scope, first)


async def test_the_next_page_and_a_single_generation_are_one_too(tap: Tap, empty_house: House) -> None:
    alice = await tapped(empty_house, tap)
    page = (await alice.client.query(GALLERY, scope="MINE", first=2))["images"]
    assert await alice.counts(GALLERY, scope="MINE", first=2, after=page["pageInfo"]["endCursor"]) == (1, 1)
    id = (await alice.client.query("{ generations(first: 1) { edges { node { id } } } }"))["generations"]["edges"][0]
    assert await alice.counts(ONE, id=id["node"]["id"]) == (1, 1)


async def test_by_resolvers_a_page_is_a_constant_number_of_statements(
    tap: Tap, empty_house: House, statements: list[str]
) -> None:
    alice, counts = await tapped(empty_house, tap, plans=False), []
    await alice.client.query(GALLERY, scope="MINE", first=1)
    for first in (5, 100):
        statements.clear()
        await alice.client.query(GALLERY, scope="MINE", first=first)
        counts.append(len(statements))
    assert 1 < counts[0] == counts[1], statements
