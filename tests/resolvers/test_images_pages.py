"""Pages of galleries against what plain Python makes of the same images: every scope, order and filter, both ways."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from schema.node import global_id
from tests.client import Client, RefusedError
from tests.conftest import House
from tests.resolvers.shelves import NOON, Picture, store

LIST = """query($scope: ImageScope!, $order: ImageOrder!, $filter: ImageFilter, $first: Int, $after: String, $last: Int,
  $before: String) { images(scope: $scope, order: $order, filter: $filter, first: $first, after: $after, last: $last,
  before: $before) { edges { node { id } } totalCount
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
WORDS = ("red", "fox", "snow", "лиса", "forêt", "night")
TAGS = ("fox", "snow", "night sky", "rare")
SCOPES = ("MINE", "PUBLIC", "ARCHIVED", "LIKED")
ORDERS: dict[str, tuple[Callable[[Picture], Any], bool]] = {
    "NEWEST": (lambda picture: (picture.created_at, picture.id), True),
    "OLDEST": (lambda picture: (picture.created_at, picture.id), False),
    "MOST_LIKED": (lambda picture: (len(picture.liked_by), picture.created_at, picture.id), True),
}
Shelf = list[Picture]


async def page(client: Client, **variables: Any) -> tuple[list[str], dict[str, Any]]:
    found = (await client.query(LIST, **{"scope": "MINE", "order": "NEWEST", **variables}))["images"]
    return [edge["node"]["id"] for edge in found["edges"]], {**found["pageInfo"], "total": found["totalCount"]}


async def walk(client: Client, *, backwards: bool, size: int, **variables: Any) -> tuple[list[str], int]:
    """All of a list, page by page, in its order; and what it says of its length."""
    seen: list[str] = []
    cursor, total, more = None, 0, True
    while more:
        asked = {"last": size, "before": cursor} if backwards else {"first": size, "after": cursor}
        ids, info = await page(client, **asked, **variables)
        seen = [*ids, *seen] if backwards else [*seen, *ids]
        cursor, more = (
            (info["startCursor"], info["hasPreviousPage"]) if backwards else (info["endCursor"], info["hasNextPage"])
        )
        total = info["total"]
    return seen, total


def expected(shelf: Shelf, viewer: UUID, scope: str, order: str, filter: dict[str, Any]) -> list[str]:
    """The same by hand."""

    def is_in(one: Picture) -> bool:
        mine = one.owner == viewer
        in_scope = {
            "MINE": mine and not one.archived,
            "PUBLIC": one.is_shown,
            "ARCHIVED": mine and one.archived,
            "LIKED": viewer in one.liked_by and (mine or one.is_shown),
        }[scope]
        rules: dict[str, Callable[[Any], bool]] = {
            "search": lambda words: set(words.casefold().split()) <= set(one.prompt.split()),
            "tags": lambda names: {name.casefold() for name in names} <= one.tags,
            "modelId": lambda id: one.model is not None and id == global_id("Model", one.model),
            "ownerId": lambda id: id == global_id("Profile", one.owner),
            "isFavorite": lambda mark: mine and one.favorite == mark,
            "minRating": lambda least: mine and one.rating is not None and one.rating >= least,
            "createdAfter": lambda at: one.created_at.isoformat() > at,
            "createdBefore": lambda at: one.created_at.isoformat() < at,
        }
        return in_scope and all(rules[name](value) for name, value in filter.items())

    key, descending = ORDERS[order]
    return [one.global_id for one in sorted(filter_by(is_in, shelf), key=key, reverse=descending)]


def filter_by(is_in: Callable[[Picture], bool], shelf: Shelf) -> Shelf:
    return [one for one in shelf if is_in(one)]


def some_filter(chance: random.Random, shelf: Shelf) -> dict[str, Any]:
    """A few narrowings that leave something of a shelf, most of the time."""
    one = chance.choice(shelf)
    narrowings: dict[str, Any] = {
        "search": " ".join(chance.sample(one.prompt.upper().split(), k=chance.choice((1, 1, 2)))),
        "tags": chance.sample(sorted(one.tags), k=min(len(one.tags), chance.choice((1, 1, 2)))) or ["Fox"],
        "modelId": global_id("Model", one.model or one.id),
        "ownerId": global_id("Profile", one.owner),
        "isFavorite": chance.random() < 0.5,
        "minRating": chance.randint(0, 5),
        "createdAfter": (one.created_at - timedelta(minutes=chance.randint(0, 30))).isoformat(),
        "createdBefore": (one.created_at + timedelta(minutes=chance.randint(1, 30))).isoformat(),
    }
    return {
        name: narrowings[name] for name in chance.sample(sorted(narrowings), k=chance.choice((0, 1, 1, 1, 2, 2, 3)))
    }


@pytest.fixture
async def people(alice: Client, bob: Client) -> list[UUID]:
    for person in (alice, bob):
        await person.query("{ viewer { email } }")
    assert alice.sub
    assert bob.sub
    return [alice.sub, bob.sub]


@pytest.fixture
async def shelf(api: House, people: list[UUID]) -> Shelf:
    """Some 150 images of two people, many of one moment."""
    chance = random.Random(7)
    async with (await api.database()).as_service() as session:
        models = (await session.scalars(text("select id from models order by slug limit 3"))).all()
    pictures = [
        Picture(
            owner=chance.choice(people),
            prompt=" ".join(chance.sample(WORDS, k=chance.randint(2, 4))),
            model=chance.choice(models),
            public=chance.random() < 0.7,
            archived=chance.random() < 0.2,
            hidden=chance.random() < 0.1,
            favorite=chance.random() < 0.5,
            rating=chance.choice((None, 0, 3, 5)),
            created_at=NOON + timedelta(minutes=chance.randint(0, 40)),
            tags=frozenset(
                chance.sample(TAGS[:3], k=chance.randint(0, 3)) + (["rare"] if chance.random() < 0.03 else [])
            ),
            liked_by=frozenset(chance.sample(people, k=chance.randint(0, 2))),
        )
        for _ in range(150)
    ]
    await store(api, pictures)
    return pictures


async def test_every_scope_order_and_filter_gives_what_plain_python_gives(
    alice: Client, shelf: Shelf, people: list[UUID]
) -> None:
    chance = random.Random(8)
    sizes = []
    for number in range(150):
        scope, order = SCOPES[number % 4], list(ORDERS)[number // 4 % 3]
        filter = some_filter(chance, shelf)
        wanted = expected(shelf, people[0], scope, order, filter)
        size, backwards = chance.choice((7, 20, 100)), chance.random() < 0.5
        found, total = await walk(alice, scope=scope, order=order, filter=filter, size=size, backwards=backwards)
        assert found == wanted, (scope, order, filter, backwards)
        assert total == len(wanted)
        sizes.append(len(wanted))
    assert sum(1 for size in sizes if size) > 75, "it narrows to nothing too often to prove anything"


@pytest.mark.parametrize("order", ORDERS)
async def test_a_cursor_of_another_order_is_bad_input(
    alice: Client, people: list[UUID], api: House, order: str
) -> None:
    await store(api, [Picture(people[0]), Picture(people[0])])
    _, info = await page(alice, order=order, first=1)
    assert len((await page(alice, order=order, after=info["endCursor"]))[0]) == 1
    for other in ORDERS.keys() - {order}:
        with pytest.raises(RefusedError) as refused:
            await page(alice, order=other, after=info["endCursor"])
        assert refused.value.code == "BAD_USER_INPUT"


async def test_while_likes_change_what_did_not_change_is_seen_once(
    api: House, alice: Client, people: list[UUID]
) -> None:
    chance = random.Random(9)
    fans = [api.person(f"fan {number}") for number in range(4)]
    for fan in fans:
        await fan.query("{ viewer { email } }")
    subs = [fan.sub for fan in fans if fan.sub]
    pictures = [Picture(people[0], liked_by=frozenset(chance.sample(subs, k=number % 4))) for number in range(60)]
    await store(api, pictures)
    restless = {one.global_id for one in pictures[:20]}
    seen: list[str] = []
    cursor, more = None, True
    while more:
        ids, info = await page(alice, scope="PUBLIC", order="MOST_LIKED", first=7, after=cursor)
        seen, cursor, more = [*seen, *ids], info["endCursor"], info["hasNextPage"]
        for id in chance.sample(sorted(restless), k=5):
            verb = chance.choice(("likeImage", "unlikeImage"))
            await chance.choice(fans).mutate(verb, "image { likeCount }", id=id)
    calm = [id for id in seen if id not in restless]
    assert calm == [id for id in expected(pictures, people[0], "PUBLIC", "MOST_LIKED", {}) if id not in restless]


async def test_a_page_costs_as_many_statements_whatever_it_holds(
    api: House, alice: Client, people: list[UUID], statements: list[str]
) -> None:
    document = """query($filter: ImageFilter) { images(scope: PUBLIC, filter: $filter) { totalCount edges { node { url
      likeCount likedByMe tags { name imageCount } owner { username } model { slug } } } } }"""
    counts: dict[str, set[int]] = {}
    for pictures in (1, 9):
        await store(api, [Picture(people[0], tags=frozenset(TAGS)) for _ in range(pictures)])
        for name, filter in {"all": {}, "search": {"search": "fox"}, "tags": {"tags": ["Fox", "rare"]}}.items():
            statements.clear()
            await alice.query(document, filter=filter)
            counts.setdefault(name, set()).add(len(statements))
    assert all(len(seen) == 1 for seen in counts.values()), counts
