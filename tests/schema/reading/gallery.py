"""People and pictures."""

import asyncio

from db import reports
from picture import operators
from tests.schema.reading.story import NOWHERE, Story
from tests.storage import hostile
from tests.uploading import Uploader


async def people(story: Story) -> None:
    """Names and templates."""
    alice, bob = story.alice, story.bob
    avatar = "https://pictures.example/alice.png"
    await alice.done("updateProfile", input={"username": "alice", "avatarUrl": avatar})
    story.things["taken"] = await bob.refused("updateProfile", input={"username": "Alice"})
    template = {"name": "Foxes", "prompt": "a fox, …", "negativePrompt": "dogs", "category": "animals"}
    made = await alice.done("createPromptTemplate", input={**template, "isPublic": False})
    story.things["too many"] = await alice.refused("createPromptTemplate", input=template)
    story.things["template"] = await alice.done("updatePromptTemplate", id=made["id"], input=template)
    assert await alice.ask("promptTemplates", category="animals", search="fox") == [story.things["template"]]


async def sent(story: Story) -> None:
    """A picture, what is none, and one too many."""
    for name, data in (("upload", hostile.saved(hostile.small())), ("no picture", b"<p>")):
        asked = {"filename": "a.png", "contentType": "image/png", "size": len(data)}
        story.things[f"{name} before"] = upload = await story.alice.done("createUpload", input=asked)
        assert await Uploader(story.alice.client).put(upload, data) == 200
        await story.alice.done("completeUpload", id=upload["id"])
        story.things[name] = [update async for update in story.alice.watch("uploadUpdated", id=upload["id"])][-1]
    story.things["too often"] = await story.alice.refused("createUpload", input=asked)


async def shown(story: Story) -> None:
    """Shown, liked, tagged, put away, reported and hidden."""
    alice, bob = story.alice, story.bob
    fox, away = (image["id"] for image in story.things["fox"]["images"])
    await alice.done("updateImage", input={"id": fox, "isFavorite": True, "rating": 5})
    story.things["archived"] = await alice.done("updateImage", input={"id": away, "archived": True})
    await alice.done("addTags", imageId=fox, names=[" Winter"])
    tagged = await alice.done("removeTags", imageId=fox, names=["snow"])
    tag = next(tag["id"] for tag in tagged["tags"] if tag["name"] == "fox")
    await published(story, fox)
    story.things["tag"] = await alice.done("updateTag", id=tag, color="#FF8800")
    story.things["no color"] = await alice.refused("updateTag", id=tag, color="red")
    for person in (alice, bob):
        assert (await person.done("likeImage", id=fox))["likedByMe"]
    await alice.done("unlikeImage", id=fox)
    story.things["not there"] = await bob.refused("likeImage", id=NOWHERE)
    story.things["image"], story.things["seen"] = [await person.ask("image", id=fox) for person in (alice, bob)]
    (bad,) = story.things["member"]["images"]
    await bob.done("reportImage", id=bad["id"], reason="It is no fox.")
    db = await story.house.database()
    async with db.as_service() as session:
        await reports.hide(session, operators.entry("hide_image", operators.row_id(bad["id"], "Image")))
    story.things["hidden"] = await alice.ask("image", id=bad["id"])


async def published(story: Story, image_id: str) -> None:
    """Shown to everybody, until bob, who listens to that from some moment on, has heard of it."""
    news = story.bob.watch("imagePublished", tags=["winter"])
    heard = asyncio.ensure_future(anext(news))
    while not heard.done():
        for is_public in (False, True):
            await story.alice.done("updateImage", input={"id": image_id, "isPublic": is_public})
        await asyncio.wait({heard}, timeout=0.5)
    story.things["news"] = await heard
    await news.aclose()


async def lists(story: Story) -> None:
    """By everything that narrows them, forwards and backwards."""
    alice = story.alice
    model = story.things["model"] = await alice.ask("model", slug="sdxl")
    story.things["viewer"] = viewer = await alice.ask("viewer")
    ever = {"createdAfter": "2020-01-01T00:00:00Z", "createdBefore": "2120-01-01T00:00:00Z"}
    wanted = {"search": "snow fox", "tags": ["winter"], "modelId": model["id"], "ownerId": viewer["profile"]["id"]}
    wanted |= {"isFavorite": True, "minRating": 5, **ever}
    page = await alice.ask("images", scope="PUBLIC", filter=wanted, order="MOST_LIKED", first=5, after=None)
    story.things["found"] = page
    story.things["page"] = page = await alice.ask("images", first=2)
    await alice.ask("images", first=2, after=page["pageInfo"]["endCursor"])
    await alice.ask("images", last=2, before=page["pageInfo"]["endCursor"])
    narrowed = {"status": ["COMPLETED"], "modelId": model["id"], "batchId": story.id("batch"), **ever}
    assert (await alice.ask("generations", filter=narrowed))["edges"] == []
    for name in ("generations", "batches"):
        page = await alice.ask(name, first=2)
        await alice.ask(name, first=2, after=page["pageInfo"]["endCursor"])
        await alice.ask(name, last=2, before=page["pageInfo"]["endCursor"])
    story.things["tags"] = await alice.ask("tags", search="fo", first=5)
    story.things["profile"] = await story.bob.ask("profile", username="alice")
    assert "sdxl" in [known["slug"] for known in await alice.ask("models", includeInactive=True)]
    await alice.ask("batch", id=story.id("batch"))
    await alice.ask("upload", id=story.id("upload"))
    ids = [story.id(name) for name in ("fox", "image", "tag", "upload", "template", "batch", "model", "profile")]
    assert await alice.ask("nodes", ids=ids) == [await alice.ask("node", id=id) for id in ids]


async def endings(story: Story) -> None:
    """What is deleted, and who."""
    alice, bob = story.alice, story.bob
    for name, thing in (("Generation", "given up"), ("Image", "hidden"), ("PromptTemplate", "template")):
        assert await alice.done(f"delete{name}", id=story.id(thing)) == story.id(thing)
    story.things["not meant"] = await bob.refused("deleteAccount", confirm="alice")
    assert await bob.done("deleteAccount", confirm="DELETE")
