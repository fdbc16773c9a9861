"""Accounts that end: at their owner's wish, an operator's, or Supabase's; nothing stays, and no token counts."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from db.database import Database
from tests.client import CREATE, GENERATION, Client, ClosedError, RefusedError
from tests.conftest import House

DELETE = "mutation($confirm: String!) { deleteAccount(confirm: $confirm) { deletedId errors { code path message } } }"
NAME = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { profile { id } errors { code } } }"
WHO = "{ viewer { profile { id } } }"
LIKE = "mutation($id: ID!) { likeImage(id: $id) { errors { code } } }"
UNLIKE = "mutation($id: ID!) { unlikeImage(id: $id) { errors { code } } }"
REPORT = 'mutation($id: ID!) { reportImage(id: $id, reason: "x") { errors { code } } }'
TEMPLATE = 'mutation { createPromptTemplate(input: {name: "a", prompt: "b"}) { errors { code } } }'


async def delete(client: Client, confirm: str = "DELETE") -> dict[str, Any]:
    return dict((await client.query(DELETE, confirm=confirm))["deleteAccount"])


async def code(client: Client, document: str = WHO, **variables: Any) -> str | None:
    """The refusal's code; None when it is answered."""
    try:
        await client.query(document, **variables)
    except RefusedError as refused:
        return refused.code
    return None


async def traces(db: Database, person: Client) -> set[str]:
    """Each column of each table that names the person: from the catalogue, so that a new table is looked at, too."""
    columns = text("""
        select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0
            and not a.attisdropped and a.atttypid = 'uuid'::regtype
    """)
    found = set()
    async with db.as_service() as session:
        for table, column in (await session.execute(columns)).all():
            query = text(f"select exists (select from {table} where {column} = :sub)")
            if await session.scalar(query, {"sub": person.sub}):
                found.add(f"{table}.{column}")
    return found


@pytest.fixture
async def db(api: House) -> Database:
    return await api.database()


async def test_a_deletion_is_meant_only_with_the_right_word(alice: Client) -> None:
    for wrong in ("alice", "", "delete", "DELETE ", "\0"):
        payload = await delete(alice, wrong)
        assert [(error["code"], error["path"]) for error in payload["errors"]] == [("INVALID", ["confirm"])]
    await alice.query(NAME, input={"username": "alice"})
    for wrong in ("DELETE", "Alice", "alice\0", "bob"):
        assert (await delete(alice, wrong))["errors"][0]["code"] == "INVALID"
    assert (await delete(alice, "alice"))["errors"] == []
    assert await code(alice) == "UNAUTHENTICATED"


async def test_nothing_stays_of_who_goes_but_that_they_are_gone(
    house: House, db: Database, alice: Client, bob: Client
) -> None:
    for person, is_public in ((alice, True), (bob, True)):
        made = await person.create_generation(isPublic=is_public, idempotencyKey="key", tags=["fox"])
        await person.until(made["id"], "COMPLETED")
    hers, his = await images(alice)
    await act_everywhere(alice, his)
    await act_everywhere(bob, hers)
    assert len(await traces(db, alice)) > 10
    assert (await delete(alice))["errors"] == []
    assert await traces(db, alice) == {"revoked_subjects.sub"}
    (left,) = (
        await bob.query("{ images(scope: PUBLIC) { edges { node { id likeCount tags { name imageCount } } } } }")
    )["images"]["edges"]
    assert left["node"]["likeCount"] == 0
    assert left["node"]["tags"] == [{"name": "fox", "imageCount": 1}]
    async with house.http.get(hers["url"]) as answer:
        assert answer.status == 404
    await until_removed(db)


async def images(person: Client) -> list[dict[str, Any]]:
    """Alice's, then Bob's."""
    edges = (await person.query("{ images(scope: PUBLIC, order: OLDEST) { edges { node { id url } } } }"))["images"][
        "edges"
    ]
    return [edge["node"] for edge in edges]


async def act_everywhere(person: Client, image: dict[str, Any]) -> None:
    """Leave a trace in every table that people write to."""
    await person.query(LIKE, id=image["id"])
    await person.query(REPORT, id=image["id"])
    await person.query(TEMPLATE)
    batch = 'createBatch(input: {model: "flux-schnell", prompts: [{prompt: "a"}, {prompt: "b"}]}) { errors { code } }'
    await person.query(f"mutation {{ {batch} }}")
    upload = 'createUpload(input: {filename: "a.png", contentType: "image/png", size: 100}) { errors { code } }'
    await person.query(f"mutation {{ {upload} }}")


async def until_removed(db: Database) -> None:
    """The sweep removes what lay in storage; what may still be written stays marked until it may not."""
    waiting = text("select count(*) from objects where state = 'deleted' and removed_at is null")
    async with asyncio.timeout(10):
        while True:
            async with db.as_service() as session:
                if await session.scalar(waiting) == 0:
                    return


async def test_everything_stored_gets_its_tombstone_with_the_rows(db: Database, alice: Client) -> None:
    await alice.query(WHO)
    async with db.as_service() as session:
        await session.execute(
            text("""insert into objects (key, kind, user_id, state) select 'key ' || state, 'image', :sub, state
                from unnest(array['kept', 'announced', 'deleted']) as state"""),
            {"sub": alice.sub},
        )
    await delete(alice)
    async with db.as_service() as session:
        query = text("select key, state, user_id, writable_until > now() + interval '50 min' from objects order by key")
        left = (await session.execute(query)).all()
    assert [tuple(row) for row in left] == [
        ("key announced", "deleted", None, True),  # somebody may be writing it just now
        ("key deleted", "deleted", None, None),
        ("key kept", "deleted", None, None),
    ]


@pytest.fixture
async def replicas(empty_house: House) -> House:
    """Two that hear of each other, and one that does not."""
    for changes in ({}, {}, {"namespace": "deaf", "revoked_seconds": 0.4}):
        await empty_house.start_api(**changes)
    return empty_house


async def test_a_token_is_worth_nothing_on_any_replica_and_streams_end(replicas: House) -> None:
    alice, bob = replicas.person("alice"), replicas.person("bob")
    at = [alice.at(address) for address in replicas.apis]
    for client in at:
        assert await code(client) is None
    async with at[0].socket() as here, at[1].socket() as there, at[2].socket() as deaf, bob.socket() as his:
        await delete(at[0])
        assert await code(at[0]) == "UNAUTHENTICATED"
        for socket in (here, there, deaf):
            with pytest.raises(ClosedError) as closed:
                async with asyncio.timeout(5):
                    await socket.receive()
            assert closed.value.code == 4401
        assert [await code(client) for client in at] == ["UNAUTHENTICATED"] * 3
        with pytest.raises(ClosedError):
            async with at[1].socket() as again:
                await again.receive()
        await his.ws.send_json({"type": "ping"})
        assert (await his.receive())["type"] == "pong"
    assert await code(at[0], DELETE, confirm="DELETE") == "UNAUTHENTICATED", "twice is the same"


async def test_who_goes_over_their_own_socket_is_answered_before_it_ends(alice: Client) -> None:
    async with alice.socket() as socket:
        (payload,) = [value async for value in socket.subscribe(DELETE, "deleteAccount", {"confirm": "DELETE"})]
        assert payload["errors"] == []
        with pytest.raises(ClosedError) as closed:
            await socket.receive()
    assert closed.value.code == 4401


async def test_what_is_under_way_while_somebody_goes_leaves_nothing_behind(
    house: House, alice: Client, bob: Client
) -> None:
    made = await alice.create_generation(isPublic=True)
    (image,) = (await alice.until(made["id"], "COMPLETED"))["images"]
    codes = await asyncio.gather(
        *(code(alice, CREATE + GENERATION, input={"model": "flux-schnell", "prompt": "a fox"}) for _ in range(10)),
        *(code(bob, act, id=image["id"]) for act in (LIKE, UNLIKE, REPORT) for _ in range(5)),
        *(code(alice, TEMPLATE) for _ in range(5)),
        delete(alice),
        *(code(alice, TEMPLATE) for _ in range(5)),
    )
    assert {one for one in codes if not isinstance(one, dict)} <= {None, "UNAUTHENTICATED"}
    assert await traces(await house.database(), alice) == {"revoked_subjects.sub"}


async def test_a_new_profile_is_never_made_for_who_is_gone(replicas: House) -> None:
    alice = replicas.person("alice")
    await asyncio.gather(*(code(alice) for _ in range(20)), delete(alice), *(code(alice) for _ in range(20)))
    assert await code(alice) == "UNAUTHENTICATED"
    assert await traces(await replicas.database(), alice) == {"revoked_subjects.sub"}


async def test_what_runs_for_who_goes_is_stopped_and_its_worker_goes_on(
    house: House, alice: Client, bob: Client
) -> None:
    house.engine.add(do="pause", at_step=1, times=1, name="hers")
    running = await alice.create_generation()
    await house.engine.until("paused", name="hers")
    await alice.until(running["id"], "PROCESSING")
    await alice.create_generation()
    await delete(alice)
    made = await bob.create_generation()
    house.engine.release("hers")  # it hears interrupts, and stands still for them only between steps
    assert (await bob.until(made["id"], "COMPLETED"))["attempt"] == 1
    assert await traces(await house.database(), alice) == {"revoked_subjects.sub"}


async def test_nobody_and_a_key_that_is_nobodys_have_no_account(api: House, nobody: Client) -> None:
    assert await code(nobody, DELETE, confirm="DELETE") == "UNAUTHENTICATED"
