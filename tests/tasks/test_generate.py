"""The main job: a prompt becomes a picture."""

from typing import Any

from tests.client import Client
from tests.conftest import House


async def test_a_prompt_becomes_a_picture(house: House, alice: Client) -> None:
    fox = await alice.create_generation(prompt="a red fox in the snow", imageCount=2, seed=7)
    assert (fox["status"], fox["attempt"], fox["seed"]) == ("QUEUED", 0, 7)
    fox = await alice.until(fox["id"], "COMPLETED")
    assert (fox["attempt"], fox["progress"], fox["failure"]) == (1, 1.0, None)
    assert [image["seed"] for image in fox["images"]] == [7, 7]
    for image in fox["images"]:
        async with alice.http.get(image["url"]) as answer:
            assert (answer.status, answer.content_type) == (200, "image/webp")
            assert len(await answer.read()) == image["fileSize"]


async def test_a_subscriber_sees_every_change_once_and_in_order(house: House, alice: Client) -> None:
    earlier = await alice.create_generation()
    async with alice.events(id=earlier["id"]) as events:
        cursor = [event["cursor"] async for event in events][-1]
    fox = await alice.create_generation()
    seen: list[dict[str, Any]] = []
    async with alice.events(after=cursor, progress=False) as events:
        async for event in events:
            seen.append(event)
            if event["__typename"] == "GenerationCompleted":
                break
    assert [event["__typename"] for event in seen] == ["GenerationQueued", "GenerationStarted", "GenerationCompleted"]
    assert {event["generation"]["id"] for event in seen} == {fox["id"]}
    assert len(seen[-1]["images"]) == 1
