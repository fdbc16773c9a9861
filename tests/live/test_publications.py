"""New public images, to everybody who listens."""

import asyncio
from typing import Any

from redis.asyncio import Redis

from resolvers.ids import row_id
from schema.picture import Image
from tasks.events import Events
from tasks.topics import PUBLISHED
from tests.client import Client
from tests.conftest import House
from tests.live.conftest import Hand, Valkey
from tests.live.wires import Stream, Wire, open_wire

WATCH = """subscription ($tags: [String!]) { imagePublished(tags: $tags) {
  id url isPublic likedByMe isFavorite tags { name } owner { username } } }"""


async def watch(wire: Wire, valkey: Valkey, *tags: str) -> Stream:
    """A stream that has begun: Redis knows that somebody here listens."""
    stream = await wire.subscribe(WATCH, tags=list(tags))
    async with asyncio.timeout(10), Redis.from_url(valkey.url) as redis, redis.monitor() as monitor:
        while not await redis.pubsub_channels(f"*:topic:{PUBLISHED}"):
            await monitor.next_command()
    return stream


async def told(stream: Stream) -> dict[str, Any]:
    """The next image."""
    frame = await stream.wire.frame_of(stream.id)
    assert frame["type"] == "next", frame
    assert "errors" not in frame["payload"], frame
    image: dict[str, Any] = frame["payload"]["data"]["imagePublished"]
    return image


async def make(person: Client, hand: Hand, *tags: str, is_public: bool = True) -> str:
    """The id of an image that has just been made."""
    asked = await person.create_generation(isPublic=is_public, tags=list(tags))
    await hand.complete(await hand.start(asked["id"]))
    image_id: str = (await person.require_generation(asked["id"]))["images"][0]["id"]
    return image_id


async def test_what_is_made_public_is_told_to_everybody(
    nobody: Client, bob: Client, alice: Client, hand: Hand, valkey: Valkey
) -> None:
    async with open_wire(nobody) as wire, open_wire(bob) as other:
        streams = [await watch(each, valkey) for each in (wire, other)]
        private = await make(alice, hand, is_public=False)
        fox = await make(alice, hand, "Forest")
        for stream in streams:
            image = await told(stream)
            assert (image["id"], image["tags"], image["likedByMe"]) == (fox, [{"name": "forest"}], False)
        await alice.mutate("updateImage", "image { ...I }", input={"id": private, "rating": 5})
        await alice.mutate("updateImage", "image { ...I }", input={"id": private, "isPublic": True})
        await alice.mutate("updateImage", "image { ...I }", input={"id": private, "isPublic": True})
        await alice.mutate("updateImage", "image { ...I }", input={"id": fox, "archived": True})
        await alice.mutate("updateImage", "image { ...I }", input={"id": fox, "archived": False})
        for stream in streams:
            assert [(await told(stream))["id"] for _ in range(2)] == [private, fox]


async def test_who_names_tags_hears_only_of_what_carries_them_all(
    nobody: Client, alice: Client, hand: Hand, valkey: Valkey
) -> None:
    async with open_wire(nobody) as wire:
        stream = await watch(wire, valkey, " SNOW", "fox")
        await make(alice, hand, "fox")
        both = await make(alice, hand, "fox", "snow", "night")
        assert (await told(stream))["id"] == both


async def test_a_burst_harms_nobody(
    api: House, nobody: Client, alice: Client, bob: Client, hand: Hand, valkey: Valkey
) -> None:
    made = [await make(alice, hand) for _ in range(3)]
    async with open_wire(nobody) as wire, Redis.from_url(valkey.url) as redis:
        stream = await watch(wire, valkey)
        events = Events(redis, api.settings.namespace)
        facts = [{"image": str(row_id(id, Image))} for id in made]
        burst = asyncio.gather(*(events.announce(PUBLISHED, facts[number % 2]) for number in range(2000)))
        assert await bob.query("{ viewer { email } }")
        await burst
        await events.announce(PUBLISHED, facts[2])
        heard = {(await told(stream))["id"] for _ in made}  # each once, whatever was said
        assert heard == set(made)


async def test_an_image_is_read_once_for_all(
    nobody: Client, alice: Client, hand: Hand, valkey: Valkey, statements: list[str]
) -> None:
    async with open_wire(nobody) as wire:
        streams = [await watch(wire, valkey) for _ in range(30)]
        asked = await alice.create_generation(isPublic=True)
        row = await hand.start(asked["id"])
        statements.clear()
        await hand.complete(row)
        for stream in streams:
            assert (await told(stream))["isPublic"]
    reads = [one for one in statements if "FROM image" in one or "FROM profiles" in one or "from image" in one.lower()]
    assert len(reads) <= 5, reads
