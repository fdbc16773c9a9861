"""Tags: put on and taken off, counted for each who looks, coloured by who has made them."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.client import ERRORS, Client, RefusedError
from tests.conftest import House
from tests.resolvers.shelves import Picture, store

LIST = "query($search: String, $first: Int! = 50) { tags(search: $search, first: $first) { id name color imageCount } }"
DRIFT = text("""
    select g.name, g.public_count, count(i.id) from tags g
    left join image_tags t on t.tag_id = g.id
    left join images i on i.id = t.image_id and i.is_public and i.archived_at is null and i.hidden_at is null
    group by g.id having g.public_count <> count(i.id)
""")
COPIES = text("""
    select count(*) from image_tags t join images i on i.id = t.image_id
    where (t.user_id, t.image_created_at, t.is_public) is distinct from
        (i.user_id, i.created_at, i.is_public and i.archived_at is null and i.hidden_at is null)
""")


async def change(client: Client, verb: str, image: Picture, names: list[str]) -> dict[str, Any]:
    document = f"""mutation($id: ID!, $names: [String!]!) {{ {verb}(imageId: $id, names: $names) {{
      image {{ tags {{ name }} }} {ERRORS} }} }}"""
    return dict((await client.query(document, id=image.global_id, names=names))[verb])


async def add(client: Client, image: Picture, *names: str) -> list[str]:
    payload = await change(client, "addTags", image, list(names))
    assert payload["errors"] == []
    return [tag["name"] for tag in payload["image"]["tags"]]


async def listed(client: Client, **variables: Any) -> dict[str, int]:
    """Names in their order, each with its count."""
    return {tag["name"]: tag["imageCount"] for tag in (await client.query(LIST, **variables))["tags"]}


async def tag_of(client: Client, name: str) -> dict[str, Any]:
    return next(tag for tag in (await client.query(LIST))["tags"] if tag["name"] == name)


async def update(client: Client, image: Picture, **changes: Any) -> None:
    await client.mutate("updateImage", "image { id }", input={"id": image.global_id, **changes})


@pytest.fixture
async def owners(alice: Client, bob: Client) -> tuple[UUID, UUID]:
    for person in (alice, bob):
        await person.query("{ viewer { email } }")
    assert alice.sub
    assert bob.sub
    return alice.sub, bob.sub


@pytest.fixture
async def fox(api: House, owners: tuple[UUID, UUID]) -> Picture:
    """Alice's, private."""
    picture = Picture(owners[0], public=False)
    await store(api, [picture])
    return picture


async def drift(api: House) -> list[Any]:
    """Where what is kept differs from what is."""
    async with (await api.database()).as_service() as session:
        return [*(await session.execute(DRIFT)).all(), *([1] if await session.scalar(COPIES) else [])]


async def test_a_name_has_one_form(alice: Client, fox: Picture) -> None:
    assert await add(alice, fox, "  Red   Fox ", "RED FOX", "STRASSE", "straße", "é", "e\u0301") == [
        "red fox",
        "strasse",
        "é",
    ]
    assert await add(alice, fox, "red fox") == ["red fox", "strasse", "é"]
    assert await add(alice, fox) == ["red fox", "strasse", "é"]
    removed = await change(alice, "removeTags", fox, ["Red Fox", "never there", "x" * 60])
    assert removed == {"image": {"tags": [{"name": "strasse"}, {"name": "é"}]}, "errors": []}


async def test_what_cannot_be_a_name_is_named(alice: Client, fox: Picture) -> None:
    for wrong in ("", "  ", "x" * 51, "a\0b", "a\nb", "a\u2028b", "\x7f", "ß" * 26):
        (error,) = (await change(alice, "addTags", fox, ["fine", wrong]))["errors"]
        assert (error["code"], error["path"]) == ("INVALID", ["names", "1"]), wrong
    (error,) = (await change(alice, "addTags", fox, [f"tag {number}" for number in range(31)]))["errors"]
    assert (error["code"], error["path"]) == ("TOO_LARGE", ["names"])
    assert len(await add(alice, fox, *(f"tag {number}" for number in range(29)))) == 29
    (error,) = (await change(alice, "addTags", fox, ["tag 1", "one more", "and one more"]))["errors"]
    assert (error["code"], error["path"]) == ("TOO_LARGE", ["names"])
    assert len(await add(alice, fox, "tag 1", "one more")) == 30
    assert "fine" not in await listed(alice)


async def test_only_its_owner_tags_an_image(
    api: House, alice: Client, bob: Client, nobody: Client, fox: Picture, owners: tuple[UUID, UUID]
) -> None:
    shown = Picture(owners[0])
    await store(api, [shown])
    for picture in (fox, shown):
        for verb in ("addTags", "removeTags"):
            (error,) = (await change(bob, verb, picture, ["mine now"]))["errors"]
            assert (error["code"], error["path"]) == ("NOT_FOUND", ["imageId"])
            with pytest.raises(RefusedError) as refused:
                await change(nobody, verb, picture, ["mine now"])
            assert refused.value.code == "UNAUTHENTICATED"
    assert await listed(alice) == await listed(bob) == {}


async def test_counts_are_of_what_each_may_see_whatever_becomes_of_the_images(
    api: House, alice: Client, bob: Client, nobody: Client, fox: Picture, owners: tuple[UUID, UUID]
) -> None:
    own, shown = Picture(owners[1], public=False), Picture(owners[1])
    await store(api, [own, shown])
    await add(alice, fox, "fox", "secret")
    for picture in (own, shown):
        await add(bob, picture, "fox")
    who = (alice, bob, nobody)
    assert [await listed(one) for one in who] == [{"fox": 2, "secret": 1}, {"fox": 2}, {"fox": 1}]
    await update(alice, fox, isPublic=True)
    assert [await listed(one) for one in who] == [
        {"fox": 2, "secret": 1},
        {"fox": 3, "secret": 1},
        {"fox": 2, "secret": 1},
    ]
    await update(alice, fox, archived=True)
    assert [await listed(one) for one in who] == [{"fox": 2, "secret": 1}, {"fox": 2}, {"fox": 1}]
    async with (await api.database()).as_service() as session:
        await session.execute(text("update images set hidden_at = now() where id = :id"), {"id": shown.id})
    assert [await listed(one) for one in who] == [{"fox": 1, "secret": 1}, {"fox": 2}, {}]
    assert await drift(api) == []
    await bob.mutate("deleteImage", "deletedId", id=shown.global_id)
    await change(bob, "removeTags", own, ["fox"])
    assert [await listed(one) for one in who] == [{"fox": 1, "secret": 1}, {}, {}]
    assert await drift(api) == []


async def test_the_most_used_come_first_and_a_part_of_a_name_finds_them(
    api: House, alice: Client, bob: Client, owners: tuple[UUID, UUID]
) -> None:
    pictures = [Picture(owners[0], tags=frozenset({"sky", *(["night sky"] if n < 2 else [])})) for n in range(3)]
    await store(api, [*pictures, Picture(owners[1], public=False, tags=frozenset({"night sky", "own_%"}))])
    await store(api, [Picture(owners[1], public=False, tags=frozenset({"night sky"}))])
    assert list((await listed(alice)).items()) == [("sky", 3), ("night sky", 2)]
    assert list((await listed(bob)).items()) == [("night sky", 4), ("sky", 3), ("own_%", 1)]
    assert await listed(bob, first=1) == {"night sky": 4}
    assert await listed(bob, search=" NIGHT  s") == {"night sky": 4}
    assert await listed(bob, search="%") == {"own_%": 1}
    assert await listed(bob, search="'; drop table tags --") == await listed(bob, search="a\0b") == {}
    for first in (0, 101):
        with pytest.raises(RefusedError) as refused:
            await listed(bob, first=first)
        assert refused.value.code == "BAD_USER_INPUT"


async def test_who_has_made_a_tag_or_an_admin_gives_it_a_color(
    api: House, alice: Client, bob: Client, fox: Picture
) -> None:
    document = (
        f"mutation($id: ID!, $color: String) {{ updateTag(id: $id, color: $color) {{ tag {{ color }} {ERRORS} }} }}"
    )

    async def paint(client: Client, id: str, **color: str | None) -> Any:
        payload = (await client.query(document, id=id, **color))["updateTag"]
        return payload["errors"][0]["code"] if payload["errors"] else payload["tag"]["color"]

    await add(alice, fox, "fox")
    id = (await tag_of(alice, "fox"))["id"]
    admin = api.person("operator", app_metadata={"role": "admin"})
    assert [await paint(alice, id, color="#Ff8800"), await paint(alice, id)] == ["#Ff8800", "#Ff8800"]
    assert [await paint(bob, id, color="#000000"), await paint(admin, id, color="#000000")] == [
        "NOT_FOUND",
        "NOT_FOUND",
    ]
    await update(alice, fox, isPublic=True)
    with pytest.raises(RefusedError) as refused:
        await paint(bob, id, color="#000000")
    assert refused.value.code == "FORBIDDEN"
    assert await paint(admin, id, color="#00ff00") == "#00ff00"
    assert await paint(alice, id, color=None) is None
    for wrong in ("red", "#fff", "#GG0000", "#00ff00\n", ""):
        assert await paint(alice, id, color=wrong) == "INVALID"


async def test_a_tag_is_a_node_for_who_may_see_it(alice: Client, bob: Client, fox: Picture) -> None:
    await add(alice, fox, "fox")
    id = (await tag_of(alice, "fox"))["id"]
    document = "query($id: ID!) { node(id: $id) { ... on Tag { name imageCount } } }"
    assert (await alice.query(document, id=id))["node"] == {"name": "fox", "imageCount": 1}
    assert (await bob.query(document, id=id))["node"] is None


async def test_many_who_add_the_same_names_at_once_make_each_once(
    api: House, alice: Client, bob: Client, owners: tuple[UUID, UUID]
) -> None:
    pictures = [Picture(owners[number % 2], public=number % 3 > 0) for number in range(10)]
    await store(api, pictures)
    names = [f"tag {number}" for number in range(12)]

    async def tag(number: int) -> None:
        picture = pictures[number % 10]
        some = (names[number % 12 :] + names[: number % 12])[:8]
        await add((alice, bob)[number % 2], picture, *(some if number % 4 else reversed(some)))
        if number % 5 == 0:
            await change((alice, bob)[number % 2], "removeTags", picture, some[:3])

    async def publish(number: int) -> None:
        await update((alice, bob)[number % 2], pictures[number % 10], isPublic=number % 4 > 1)

    await asyncio.gather(*(tag(number) for number in range(50)), *(publish(number) for number in range(30)))
    assert sorted(await listed(alice)) == sorted(names)
    assert await drift(api) == []
    payloads = await asyncio.gather(
        *(change(alice, "addTags", pictures[0], [f"more {number}"]) for number in range(40))
    )
    carried = len(await add(alice, pictures[0]))
    assert carried == 30
    assert {error["code"] for payload in payloads for error in payload["errors"]} == {"TOO_LARGE"}


@pytest.mark.usefixtures("house")
async def test_what_is_asked_for_with_a_generation_is_on_its_images(alice: Client, bob: Client) -> None:
    made = await alice.create_generation(tags=[" Red  Fox", "snow"], isPublic=True)
    assert (await alice.until(made["id"], "COMPLETED"))["images"]
    assert await listed(bob) == {"red fox": 1, "snow": 1}
    (error,) = (await alice.create(tags=["fine", ""]))["errors"]
    assert (error["code"], error["path"]) == ("INVALID", ["input", "tags", "1"])
