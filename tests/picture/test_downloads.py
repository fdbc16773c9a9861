"""Downloads are counted: whole ones, once each, beside the answers."""

import asyncio

from sqlalchemy import text

from tests.client import Client
from tests.conftest import House


async def counted(house: House, least: int) -> int:
    """How many, once there are so many."""
    db = await house.database()
    async with asyncio.timeout(10):
        while True:
            async with db.as_service() as session:
                count = int(await session.scalar(text("select sum(download_count) from images")) or 0)
            if count >= least:
                return count


async def test_a_whole_download_counts_and_nothing_else(house: House, alice: Client) -> None:
    made = await alice.create_generation(isPublic=True)
    (image,) = (await alice.until(made["id"], "COMPLETED"))["images"]

    async def get(address: str, method: str = "GET", **headers: str) -> tuple[int, str]:
        async with house.http.request(method, address, headers=headers) as answer:
            await answer.read()
            return answer.status, answer.headers.get("ETag", "")

    address = image["downloadUrl"]
    _, etag = await get(address)
    assert (await get(address, "HEAD"))[0] == 200
    assert (await get(address, Range="bytes=0-9"))[0] == 206
    assert (await get(address, **{"If-None-Match": etag}))[0] == 304
    assert (await get(address + "x"))[0] == 404
    assert (await get(image["url"]))[0] == 200
    await asyncio.gather(*(get(address) for _ in range(19)))
    assert await counted(house, 20) == 20
