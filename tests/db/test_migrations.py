"""A database of any age becomes today's: empty, migrated before, or an older deployment's on Supabase."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from db import models
from db.database import Database
from db.migrate import migrate
from gpu import catalogue
from picture import embedded
from picture.home import Home
from picture.processes import Nursery
from picture.supervisor import Patience, Supervisor
from tests.client import Client
from tests.conftest import House
from tests.db.visitors import ADMIN, ALICE, BOB, REST_ALICE, REST_BOB
from tests.services import Addresses, Services

OLD_DEPLOYMENT = Path(__file__).with_name("old_deployment.sql")
# What is Supabase's: its admin lets nobody look into the schema, and ours is no superuser.
SUPABASE = """
    create role anon nologin;
    create role authenticated nologin;
    create role service_role nologin bypassrls;
    create role supabase_auth_admin nologin;
    create role postgres login createrole password 'postgres';
    grant anon, authenticated to postgres;
"""
AUTH = """
    create schema auth authorization supabase_auth_admin;
    create table auth.users (id uuid primary key);
    alter table auth.users owner to supabase_auth_admin;
    create function auth.uid() returns uuid language sql stable as
        $$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
    grant all on auth.users to postgres;
    grant usage on schema auth to postgres;
"""


async def run(url: str, script: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


async def bring_up(addresses: Addresses) -> None:
    await migrate(addresses.database_admin_url, addresses.database_url, addresses.database_worker_url)


async def sync_models(addresses: Addresses) -> None:
    db = Database.connect(addresses.database_worker_url)
    async with db.as_service() as session:
        await models.sync(session, "comfyui", [entry.row() for entry in catalogue.load().entries.values()])
    await db.close()


async def shape(addresses: Addresses) -> list[tuple[object, ...]]:
    """All relations and functions, and who may do what with them."""
    query = """
        select relnamespace::regnamespace::text, relname, relkind::text, relacl::text from pg_class
            where relnamespace in ('public'::regnamespace, 'picture'::regnamespace)
        union all
        select pronamespace::regnamespace::text, proname, 'function', proacl::text from pg_proc
            where pronamespace in ('public'::regnamespace, 'picture'::regnamespace)
        order by 1, 2, 3
    """
    async with ADMIN.visit(addresses) as connection:
        return [tuple(row) for row in await connection.fetch(query)]


@pytest.fixture
async def empty(services: Services) -> AsyncIterator[Addresses]:
    async with services.database("template0") as addresses:
        yield addresses


async def test_again_and_two_at_once_change_nothing(empty: Addresses, addresses: Addresses) -> None:
    await asyncio.gather(bring_up(empty), bring_up(empty))
    assert await shape(empty) == await shape(addresses)
    await bring_up(empty)
    assert await shape(empty) == await shape(addresses)


async def test_an_admin_named_like_our_schema_makes_the_tables_where_they_belong(addresses: Addresses) -> None:
    """`"$user", public` is the search path of a role that says nothing else."""
    assert make_url(addresses.database_admin_url).username == "picture"
    tables = [name for schema, name, kind, _ in await shape(addresses) if (schema, kind) == ("picture", "r")]
    assert tables == ["alembic_version"]


@asynccontextmanager
async def open_server(folder: Path) -> AsyncIterator[Addresses]:
    """A server on which nobody has made a role yet."""
    nursery = Nursery()
    supervisor = Supervisor(Patience(), lambda: None, nursery)
    async with embedded.open_postgres(Home.make(folder), nursery) as (postgres, urls):
        try:
            await supervisor.start(postgres)
            yield Addresses(**urls)
        finally:
            await supervisor.stop("postgres")
            nursery.close()


@dataclass(frozen=True)
class Project:
    """An older deployment's project as its owner sees it, and as Supabase itself does."""

    addresses: Addresses
    root: str


@pytest.fixture
async def project(tmp_path: Path) -> AsyncIterator[Project]:
    """An older deployment's project, and the logins that Picture is to have there."""
    async with open_server(tmp_path / "supabase") as server:
        root = server.database_admin_url
        await run(root, SUPABASE)
        await run(root, "create database project owner postgres")
        project = server.at("project")
        await run(project.database_admin_url, AUTH)
        admin = make_url(project.database_admin_url).set(username="postgres", password="postgres")
        url = admin.render_as_string(hide_password=False)
        script = OLD_DEPLOYMENT.read_text().replace("ALICE", ALICE).replace("BOB", BOB)
        await run(url, script)
        yield Project(Addresses(project.database_url, project.database_worker_url, url), project.database_admin_url)


@pytest.fixture
async def supabase(project: Project) -> Addresses:
    """The same, where nobody may look into the schema of Supabase's."""
    await run(project.root, "revoke all on schema auth from postgres")
    return project.addresses


PAGE = "(first: 100) { totalCount edges { node { %s } } }"
GENERATION = """id prompt status progress seed guidance createdAt completedAt durationSeconds images { id }
    model { name } failure { code message }"""
IMAGE = "id format url thumbnailUrl isPublic seed prompt generation { status } owner { username } model { name }"


async def test_an_older_deployments_rows_stay_readable_and_no_longer_to_others(
    supabase: Addresses, empty_house: House
) -> None:
    await bring_up(supabase)
    await bring_up(supabase)
    login = {"database_url": supabase.database_url, "database_worker_url": supabase.database_worker_url}
    await empty_house.start_api(**login)
    alice, bob = empty_house.person("alice"), empty_house.person("bob")

    generations = await everything(alice, f"generations{PAGE % GENERATION}")
    assert Counter(node["status"] for node in generations) == {"COMPLETED": 17, "FAILED": 51}
    assert sum(len(node["images"]) for node in generations) == 29
    assert {node["failure"]["message"] for node in generations if node["failure"]} == {
        "It failed; nothing more is known."
    }
    images = await everything(alice, f"images{PAGE % IMAGE}")
    assert len(images) == 29
    assert {(image["format"], image["owner"]["username"], image["model"]["name"]) for image in images} == {
        ("PNG", "alice", "dall-e")
    }
    assert await everything(bob, f"generations{PAGE % GENERATION}") == []
    public = [image for image in images if image["isPublic"]]
    seen = await everything(bob, f"images(scope: PUBLIC, {(PAGE % IMAGE)[1:]}")
    assert {image["id"] for image in seen} == {image["id"] for image in public}
    assert {image["generation"] for image in seen} == {None}

    for who, count in ((REST_ALICE, 29), (REST_BOB, len(public))):
        async with who.visit(supabase) as connection:
            assert await connection.fetchval("select count(*) from images") == count
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("select schedule_retry(gen_random_uuid())")


async def test_an_older_deployment_goes_on_with_new_work(supabase: Addresses, empty_house: House) -> None:
    await bring_up(supabase)
    await sync_models(supabase)
    login = {"database_url": supabase.database_url, "database_worker_url": supabase.database_worker_url}
    await empty_house.start_api(**login)
    await empty_house.start_worker(**login)
    await empty_house.start_scheduler(**login)
    alice = empty_house.person("alice")
    fox = await alice.create_generation(prompt="a red fox " * 300)
    fox = await alice.until(fox["id"], "COMPLETED")
    *_, oldest = await everything(alice, "images(first: 100) { totalCount edges { node { id } } }")
    for image in (*fox["images"], oldest):
        assert (await alice.mutate("deleteImage", "deletedId", id=image["id"]))["errors"] == []
    assert len(await everything(alice, "images(first: 100) { totalCount edges { node { id } } }")) == 28
    assert (await alice.mutate("deleteGeneration", "deletedId", id=fox["id"]))["errors"] == []


async def everything(who: Client, field: str) -> list[dict[str, Any]]:
    """The nodes of one page that is all there is."""
    (page,) = (await who.query(f"{{ {field} }}")).values()
    assert page["totalCount"] == len(page["edges"])
    return [edge["node"] for edge in page["edges"]]


TRIGGER = "select count(*) from pg_trigger where tgname = 'Picture_user_was_deleted'"
LEFT = """select array[(select count(*) from profiles where id = $1), (select count(*) from images where user_id = $1),
    (select count(*) from image_generations where user_id = $1),
    (select count(*) from batch_generations where user_id = $1),
    (select count(*) from image_likes where user_id = $1), (select count(*) from objects where state = 'deleted'),
    (select count(*) from revoked_subjects where sub = $1)]"""


async def test_who_is_deleted_in_supabase_is_deleted_here(project: Project) -> None:
    """An older deployment's rows hang on auth.users, some so that they refuse its delete: ours comes before that."""
    await bring_up(project.addresses)
    await bring_up(project.addresses)
    connection = await asyncpg.connect(project.root)
    try:
        assert await connection.fetchval(TRIGGER) == 1
        await connection.execute(f"""
            insert into batch_generations (user_id, status) values ('{ALICE}', 'done');
            insert into objects (key, kind, user_id, state) values ('hers', 'image', '{ALICE}', 'kept');
            insert into image_likes (user_id, image_id) select '{ALICE}', id from images limit 1""")
        assert await connection.fetchval(LEFT, ALICE) == [1, 29, 68, 1, 1, 0, 0]
        await connection.execute("set role supabase_auth_admin")
        await connection.execute("delete from auth.users where id = $1", ALICE)
        await connection.execute("delete from auth.users where id = $1", BOB)
        await connection.execute("reset role")
        assert await connection.fetchval(LEFT, ALICE) == [0, 0, 0, 0, 0, 1, 1]
        assert await connection.fetchval("select count(*) from revoked_subjects") == 2
    finally:
        await connection.close()


async def test_where_supabase_lets_nobody_in_the_rest_is_made_all_the_same(supabase: Addresses) -> None:
    await bring_up(supabase)
    async with ADMIN.visit(supabase) as connection:
        assert await connection.fetchval(TRIGGER) == 0
        assert await connection.fetchval("select picture.delete_account($1) ->> 'images'", ALICE) == "29"
