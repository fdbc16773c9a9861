"""What people report, and what an operator does about it at a terminal: decided, undone, and written down."""

import asyncio
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from picture.__main__ import cli
from tests.client import Client, RefusedError
from tests.conftest import House

REPORT = """mutation($id: ID!, $reason: String!) { reportImage(id: $id, reason: $reason) {
  image { id } errors { code path message } } }"""
SHARE = """mutation($id: ID!) { updateImage(input: {id: $id, isPublic: true}) {
  image { isPublic } errors { code path message } } }"""
SEE = "query($id: ID!) { image(id: $id) { id url hiddenAt isPublic } }"


async def report(client: Client, id: str, reason: str = "That is my face.") -> dict[str, Any]:
    return dict((await client.query(REPORT, id=id, reason=reason))["reportImage"])


async def public_image(client: Client) -> dict[str, Any]:
    made = await client.create_generation(isPublic=True, prompt="a red fox\n\x1b[2J"[:9])
    return dict((await client.until(made["id"], "COMPLETED"))["images"][0])


class Desk:
    """An operator's terminal at this house."""

    def __init__(self, house: House) -> None:
        self._settings = house.settings

    async def run(self, *arguments: str, answer: str | None = None) -> Result:
        """What the command said."""
        known = {
            "DATABASE_WORKER_URL": self._settings.database_worker_url,
            "REDIS_URL": self._settings.redis_url,
            "PICTURE_NAMESPACE": self._settings.namespace,
            "PICTURE_HOME": str(self._settings.home),
        }
        # In a thread: the command has a loop of its own.
        return await asyncio.to_thread(CliRunner().invoke, cli, list(arguments), input=answer, env=known)

    async def said(self, *arguments: str, answer: str | None = None) -> str:
        """The same, of one that went well."""
        result = await self.run(*arguments, answer=answer)
        assert result.exit_code == 0, (result.output, result.exception)
        return str(result.output)


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


async def audit(house: House) -> list[tuple[str, str | None]]:
    db = await house.database()
    async with db.as_service() as session:
        rows = await session.execute(text("select action, reason from audit_log order by id"))
        return [(row.action, row.reason) for row in rows]


async def test_one_reports_what_one_sees_and_once(house: House, alice: Client, bob: Client, nobody: Client) -> None:
    image = await public_image(alice)
    for reason in ("That is my face.", "I say it again."):
        assert (await report(bob, image["id"], reason))["image"] == {"id": image["id"]}
    db = await house.database()
    async with db.as_service() as session:
        assert (await session.scalars(text("select reason from reports"))).all() == ["That is my face."]
    for reason, code in (("", "INVALID"), (" ", "INVALID"), ("x" * 1001, "TOO_LARGE"), ("a\0", "INVALID")):
        (error,) = (await report(bob, image["id"], reason))["errors"]
        assert (error["code"], error["path"]) == (code, ["reason"])
    assert (await report(alice, image["id"], "x" * 1000))["errors"] == []
    await alice.mutate("updateImage", "image { id }", input={"id": image["id"], "isPublic": False})
    (error,) = (await report(bob, image["id"]))["errors"]
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["id"])
    with pytest.raises(RefusedError):
        await report(nobody, image["id"])


async def test_an_operator_hides_an_image_and_shows_it_again(
    house: House, desk: Desk, alice: Client, bob: Client
) -> None:
    image = await public_image(alice)
    await report(bob, image["id"], "That is \u202e my face.")
    listed = await desk.said("reports")
    assert "That is my face." in listed
    assert "prompt: a red fox" in listed
    assert "1 open." in listed
    await desk.said("image", "hide", image["id"], "--reason", "A face.")
    assert "None are open." in await desk.said("reports")

    assert (await bob.query(SEE, id=image["id"]))["image"] is None
    assert (await bob.query("{ images(scope: PUBLIC) { totalCount } }"))["images"]["totalCount"] == 0
    async with house.http.get(image["url"]) as answer:
        assert answer.status == 404
    (edge,) = (await alice.query("{ images { edges { node { id hiddenAt url } } } }"))["images"]["edges"]
    assert edge["node"]["hiddenAt"]
    async with house.http.get(edge["node"]["url"]) as answer:
        assert answer.status == 200
    (error,) = (await alice.query(SHARE, id=image["id"]))["updateImage"]["errors"]
    assert (error["code"], error["path"]) == ("BLOCKED_CONTENT", ["input", "isPublic"])
    assert "hidden" in error["message"]

    assert (await desk.run("image", "hide", image["id"])).exit_code == 1, "it is hidden already"
    await desk.said("image", "show", image["id"])
    assert (await desk.run("image", "show", image["id"])).exit_code == 1, "it is shown already"
    seen = (await bob.query(SEE, id=image["id"]))["image"]
    assert (seen["hiddenAt"], seen["isPublic"], seen["url"] != image["url"]) == (None, True, True)
    assert await audit(house) == [("hide_image", "A face."), ("show_image", None)]


async def test_a_report_is_dismissed_once(house: House, desk: Desk, alice: Client, bob: Client) -> None:
    image = await public_image(alice)
    await report(bob, image["id"])
    id = (await desk.said("reports")).split("report ")[1].split()[0]
    await desk.said("report", "dismiss", id, "--reason", "It is a fox.")
    assert (await desk.run("report", "dismiss", id)).exit_code == 1
    assert (await desk.run("report", "dismiss", "nonsense")).exit_code == 1
    await report(bob, image["id"])
    assert "None are open." in await desk.said("reports")
    assert await audit(house) == [("dismiss_report", "It is a fox.")]


async def test_an_operator_deletes_an_account_once_and_only_when_they_mean_it(
    house: House, desk: Desk, alice: Client
) -> None:
    await public_image(alice)
    async with alice.socket() as socket:
        refused = await desk.run("account", "delete", str(alice.sub), answer="n\n")
        assert refused.exit_code == 1
        said = await desk.said("account", "delete", str(alice.sub), answer="y\n")
        assert "1 images" in said
        assert (await socket.ws.receive(timeout=5)).data == 4401
    assert "gone already" in await desk.said("account", "delete", str(alice.sub), "--yes")
    with pytest.raises(RefusedError):
        await alice.query("{ viewer { email } }")
    assert await audit(house) == [("delete_account", None)]


async def test_nobody_changes_what_the_audit_log_says(house: House, desk: Desk, alice: Client) -> None:
    await public_image(alice)
    await desk.said("account", "delete", str(alice.sub), "--yes", "--reason", "They asked.")
    db = await house.database()
    for statement in ("update audit_log set reason = ''", "delete from audit_log", "truncate audit_log"):
        with pytest.raises(Exception, match="permission denied"):
            async with db.as_service() as session:
                await session.execute(text(statement))
    assert await audit(house) == [("delete_account", "They asked.")]
