"""Generations in every state, alone and together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.schema.reading.story import SD, WANTED, WISHES, Story


async def waiting(story: Story) -> None:
    """While no worker is up."""
    alice = story.alice
    story.things["estimate early"] = await alice.ask("generationEstimate", input={**SD, "prompt": "a fox"})
    held = await alice.done("createGeneration", input={**SD, "prompt": "too early"})
    story.things["held"] = await alice.ask("generation", id=held["id"])


@asynccontextmanager
async def listening(story: Story) -> AsyncIterator[None]:
    """Meanwhile alice hears of everything that is hers."""
    begun = asyncio.Event()

    async def listen() -> None:
        events = story.alice.watch("myGenerationEvents", after="no cursor", progress=True, previews=True)
        async for _ in events:
            begun.set()

    listener = asyncio.create_task(listen())
    await begun.wait()  # what waits is told at once
    story.things["given up"] = await story.alice.done("cancelGeneration", id=story.id("held"))
    yield
    listener.cancel()
    with suppress(asyncio.CancelledError):
        await listener


async def running(story: Story) -> None:
    """One stands still in the middle; of two behind it the first is canceled, then that one."""
    alice, engine = story.alice, story.house.engine
    engine.add(do="pause", at_step=3, match={"prompt": "slowly"}, name="slowly")
    slow = (await alice.done("createGeneration", input={**SD, "prompt": "painted slowly"}))["id"]
    await engine.until("paused", name="slowly")
    first, second = [
        (await alice.done("createGeneration", input={**SD, "prompt": prompt}))["id"] for prompt in ("second", "third")
    ]
    changes = alice.watch("generationEvents", id=slow, progress=True, previews=True)
    while (seen := await anext(changes))["generation"]["stage"] != "SAMPLING":
        pass
    story.things["slow"] = seen["generation"]
    story.things["second"] = await alice.ask("generation", id=second)
    moves = alice.watch("generationEvents", id=second, progress=True)
    assert (await anext(moves))["__typename"] == "GenerationSnapshot"
    await alice.done("cancelGeneration", id=first)
    story.things["moved"] = await anext(moves)
    await alice.done("cancelGeneration", id=slow)
    engine.release("slowly")
    assert [event["__typename"] async for event in changes][-1] == "GenerationCanceled"
    missed = [event["__typename"] async for event in alice.watch("generationEvents", id=slow, after=seen["cursor"])]
    assert missed == ["GenerationCanceling", "GenerationCanceled"]
    assert [event async for event in moves][-1]["__typename"] == "GenerationCompleted"


async def pictures(story: Story) -> None:
    """From words, from a picture, and into one; asked for again, the first is as good."""
    story.things["fox"] = fox = await story.made(**WANTED, idempotencyKey="fox 1")
    again = await story.alice.done("createGeneration", input={**WANTED, "reuse": True})
    assert again["id"] == fox["id"]
    story.things["too late"] = await story.alice.refused("cancelGeneration", id=fox["id"])
    greedy = {**WANTED, "steps": 1000}
    story.things["greedy"] = await story.alice.refused("createGeneration", input=greedy)
    assert await story.alice.refused("generationEstimate", input=greedy) == story.things["greedy"]
    plain = await story.made(prompt="a plain", seed=1)
    (source,) = plain["images"]
    drawn = {"prompt": "a hill", "sourceImageId": source["id"], "maskImageId": source["id"], "strength": 0.25}
    story.things["drawn"] = await story.made(**drawn)


async def failing(story: Story) -> None:
    """For good and repeated, and for a moment."""
    engine = story.house.engine
    engine.add(do="node_error", at_step=2, match={"prompt": "broken"})
    story.things["broken"] = broken = await story.made(prompt="a broken fox")
    retried = await story.alice.done("retryGeneration", id=broken["id"])
    story.things["mended"] = await story.ended(retried["id"])
    engine.add(do="out_of_memory", at_step=1, match={"prompt": "heavy"})
    story.things["heavy"] = await story.made(prompt="a heavy fox")


async def together(story: Story) -> None:
    """A batch, and what is wrong with others."""
    alice = story.alice
    batch = {**SD, "name": "Two foxes", "prompts": WISHES, "guidance": 5.5, "isPublic": True, "tags": ["batch"]}
    made = await alice.done("createBatch", input={**batch, "idempotencyKey": "foxes"})
    updates = [update async for update in alice.watch("batchUpdated", id=made["id"])]
    story.things["batch"] = updates[-1]
    story.things["member"] = await alice.ask("generation", id=updates[-1]["generations"][1]["id"])
    alone = {"model": "sdxl", "prompts": WISHES[:1], "aspectRatio": "1:1"}
    story.things["alone"] = await alice.refused("createBatch", input=alone)
    story.things["nothing failed"] = await alice.refused("retryBatch", id=made["id"])
    assert (await alice.done("cancelBatch", id=made["id"]))["status"] == "COMPLETED"


async def estimated(story: Story) -> None:
    """What the next would cost, and when it would be there."""
    story.things["estimate"] = await story.alice.ask("generationEstimate", input=WANTED | {"seed": 8})
    square = {"model": SD["model"], "prompt": "a plain", "aspectRatio": "1:1"}
    # The sweep has counted how long the others took; the API looks at the catalogue every five seconds.
    async with asyncio.timeout(20):
        while (estimate := await story.alice.ask("generationEstimate", input=square))["etaSecondsP90"] is None:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    story.things["square"] = estimate
