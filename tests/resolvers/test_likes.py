"""Likes: one a person and image, counted without a scan and without a mistake."""

import asyncio
import random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.client import Client, RefusedError
from tests.conftest import House
from tests.resolvers.shelves import Picture, store

LIKE = "image { likeCount likedByMe }"
DRIFT = text("""
    select i.id from images i left join image_likes l on l.image_id = i.id
    group by i.id having i.like_count <> count(l.user_id)
""")


async def like(client: Client, picture: Picture, verb: str = "likeImage") -> Any:
    """Count and mark, or the error's code."""
    payload = await client.mutate(verb, LIKE, id=picture.global_id)
    return payload["errors"][0]["code"] if payload["errors"] else tuple(payload["image"].values())


async def drift(api: House) -> list[Any]:
    """Where the count that is kept differs from the rows."""
    async with (await api.database()).as_service() as session:
        return list((await session.execute(DRIFT)).all())


async def liked(client: Client) -> list[str]:
    found = await client.query("{ images(scope: LIKED) { edges { node { id } } totalCount } }")
    ids = [edge["node"]["id"] for edge in found["images"]["edges"]]
    assert found["images"]["totalCount"] == len(ids)
    return ids


@pytest.fixture
async def owner(alice: Client, bob: Client) -> UUID:
    for person in (alice, bob):
        await person.query("{ viewer { email } }")
    assert alice.sub
    return alice.sub


@pytest.fixture
async def fox(api: House, owner: UUID) -> Picture:
    """Alice's, for everybody to see."""
    picture = Picture(owner)
    await store(api, [picture])
    return picture


async def test_a_like_counts_once_and_can_be_taken_back(alice: Client, bob: Client, fox: Picture) -> None:
    assert [await like(bob, fox), await like(bob, fox), await like(alice, fox)] == [(1, True), (1, True), (2, True)]
    assert [await like(bob, fox, "unlikeImage"), await like(bob, fox, "unlikeImage")] == [(1, False), (1, False)]
    document = """mutation($id: ID!) { a: likeImage(id: $id) { image { likeCount likedByMe } }
      b: unlikeImage(id: $id) { image { likeCount likedByMe } } }"""
    assert await bob.query(document, id=fox.global_id) == {
        "a": {"image": {"likeCount": 2, "likedByMe": True}},
        "b": {"image": {"likeCount": 1, "likedByMe": False}},
    }


async def test_fifty_likes_at_once_of_one_person_are_one_and_of_fifty_people_fifty(api: House, fox: Picture) -> None:
    people = [api.person(f"fan {number}") for number in range(50)]
    await asyncio.gather(*(like(people[0], fox) for _ in range(50)))
    assert await like(people[0], fox) == (1, True)
    await asyncio.gather(*(like(person, fox) for person in people))
    assert await like(people[0], fox) == (50, True)
    await asyncio.gather(*(like(person, fox, "unlikeImage") for person in people[:20] * 2))
    assert await like(people[49], fox) == (30, True)
    assert await drift(api) == []


async def test_what_cannot_be_seen_cannot_be_liked(
    api: House, bob: Client, nobody: Client, owner: UUID, fox: Picture
) -> None:
    unseen = [Picture(owner, public=False), Picture(owner, archived=True), Picture(owner, hidden=True)]
    await store(api, unseen)
    missing = Picture(owner)
    for verb in ("likeImage", "unlikeImage"):
        assert {await like(bob, one, verb) for one in (*unseen, missing)} == {"NOT_FOUND"}
        with pytest.raises(RefusedError) as refused:
            await like(nobody, fox, verb)
        assert refused.value.code == "UNAUTHENTICATED"
    found = await nobody.query("{ images(scope: PUBLIC) { edges { node { likeCount likedByMe } } } }")
    assert found["images"]["edges"] == [{"node": {"likeCount": 0, "likedByMe": False}}]


async def test_likes_outlive_that_the_image_is_not_seen_for_a_while(alice: Client, bob: Client, fox: Picture) -> None:
    async def update(**changes: Any) -> None:
        await alice.mutate("updateImage", "image { id }", input={"id": fox.global_id, **changes})

    await like(bob, fox)
    for away, back in (({"isPublic": False}, {"isPublic": True}), ({"archived": True}, {"archived": False})):
        assert await liked(bob) == [fox.global_id]
        await update(**away)
        assert await liked(bob) == []
        assert await like(bob, fox, "unlikeImage") == "NOT_FOUND"
        assert await like(alice, fox) == (2, True)
        assert await like(alice, fox, "unlikeImage") == (1, False)
        await update(**back)
    assert await like(bob, fox) == (1, True)


async def test_counts_hold_while_people_and_images_come_and_go(api: House, alice: Client, owner: UUID) -> None:
    people = [api.person(f"fan {number}") for number in range(8)]
    await asyncio.gather(*(person.query("{ viewer { email } }") for person in people))
    pictures = [Picture(owner) for _ in range(6)]
    await store(api, pictures)
    chance = random.Random(5)

    async def restless(person: Client) -> None:
        for _ in range(8):
            await like(person, chance.choice(pictures), chance.choice(("likeImage", "unlikeImage")))

    async def leave(person: Client) -> None:
        async with (await api.database()).as_service() as session:
            await session.execute(text("select picture.delete_account(:id)"), {"id": person.sub})

    await asyncio.gather(*(restless(person) for person in people))
    removed = [alice.mutate("deleteImage", "deletedId", id=picture.global_id) for picture in pictures[:2]]
    await asyncio.gather(
        *(restless(person) for person in people[2:]), *(leave(person) for person in people[:2]), *removed
    )
    assert await drift(api) == []
