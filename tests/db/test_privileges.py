"""What the roles are and may: columns over Supabase's REST interface, and logins that policies bind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from db.database import Database, UnsafeRoleError
from picture.app import open_resources
from picture.settings import Settings
from tests.client import Client
from tests.db.conftest import Execute
from tests.db.visitors import ADMIN
from tests.services import Addresses

READABLE = """
    select relname, array_agg(attname::text order by attname)
    from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
        and has_column_privilege($1, pg_class.oid, attnum, 'select')
    group by relname
"""
WRITABLE = """
    select relname, privilege from pg_class,
        unnest(array['insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as privilege
    where relnamespace in ('public'::regnamespace, 'picture'::regnamespace) and relkind in ('r', 'p', 'v')
        and (has_table_privilege($1, pg_class.oid, privilege) or (privilege in ('insert', 'update', 'references')
            and has_any_column_privilege($1, pg_class.oid, privilege)))
"""
FUNCTIONS = """
    select proname::text from pg_proc
    where pronamespace = 'picture'::regnamespace and has_function_privilege($1, oid, 'execute')
"""
HIDDEN = {
    "profiles": {"email", "updated_at"},
    "images": {
        "attempt_id",
        "download_count",
        "filename",
        "generation_id",
        "hidden_at",
        "image_index",
        "is_favorite",
        "medium_path",
        "public_url",
        "publication_id",
        "rating",
        "small_path",
        "storage_path",
        "updated_at",
    },
    "image_generations": {
        "attempt_id",
        "cost_usd",
        "engine",
        "expected_seconds",
        "lease_until",
        "not_before",
        "priority",
        "reserved_by",
        "reuse_key",
        "tag",
        "worker",
    },
}
CLOSED = {
    "audit_log",
    "generation_errors",
    "generation_events",
    "generation_performance",
    "idempotency_keys",
    "objects",
    "queue_lines",
    "reports",
    "revoked_subjects",
    "uploads",
    "user_rate_limits",
    "workers",
}


@pytest.mark.parametrize("role", ["anon", "authenticated"])
async def test_over_rest_only_listed_columns_are_read_and_nothing_is_written(addresses: Addresses, role: str) -> None:
    async with ADMIN.visit(addresses) as connection:
        everything = {name: set(columns) for name, columns in await connection.fetch(READABLE, "picture_worker")}
        readable = {name: set(columns) for name, columns in await connection.fetch(READABLE, role)}
        assert await connection.fetch(WRITABLE, role) == []
        functions = {row[0] for row in await connection.fetch(FUNCTIONS, role)}
    assert everything.keys() - readable.keys() == CLOSED
    hidden = {name: everything[name] - columns for name, columns in readable.items()}
    assert {name: columns for name, columns in hidden.items() if columns} == HIDDEN
    assert functions == {"viewer_id", "is_admin"}


async def test_the_api_does_not_read_emails_nor_what_jobs_keep(addresses: Addresses) -> None:
    async with ADMIN.visit(addresses) as connection:
        readable = dict(await connection.fetch(READABLE, "picture_api"))
    assert readable["profiles"] == ["avatar_url", "created_at", "id", "username"]
    for table in ("generation_errors", "generation_performance", "queue_lines", "revoked_subjects", "workers"):
        assert table not in readable


async def test_everybody_may_see_a_public_image_but_not_what_its_owner_thinks_of_it(
    alice: Client, bob: Client, nobody: Client, execute: Execute
) -> None:
    await alice.query("{ viewer { profile { id } } }")
    await execute(
        """insert into images (user_id, is_public, publication_id, is_favorite, rating)
           values (:owner, true, gen_random_uuid(), true, 4)""",
        owner=alice.sub,
    )
    query = "{ images(scope: PUBLIC) { edges { node { isFavorite rating owner { id } } } } }"
    seen = []
    for who in (alice, bob, nobody):
        ((edge),) = (await who.query(query))["images"]["edges"]
        seen.append((edge["node"]["isFavorite"], edge["node"]["rating"]))
    assert seen == [(True, 4), (False, None), (False, None)]
    marks = "{ images(scope: PUBLIC, filter: { %s }) { totalCount } }"
    for filter in ("isFavorite: true", "minRating: 1", "isFavorite: false"):
        assert (await bob.query(marks % filter))["images"]["totalCount"] == 0


@asynccontextmanager
async def open_admin(addresses: Addresses) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(addresses.database_admin_url)
    try:
        yield connection
    finally:
        await connection.close()


async def refused(url: str) -> bool:
    db = Database.connect(url)
    try:
        await db.check_role()
    except UnsafeRoleError:
        return True
    finally:
        await db.close()
    return False


async def test_only_a_login_that_policies_bind_may_serve(addresses: Addresses) -> None:
    assert not await refused(addresses.database_url)
    assert await refused(addresses.database_admin_url), "a superuser, and the owner"
    assert await refused(addresses.database_worker_url), "its policies give it everything"


@pytest.mark.parametrize("power", ["login bypassrls", "login in role picture_worker", "login in role unsafe_owner"])
async def test_a_login_that_has_a_way_around_them_may_not(addresses: Addresses, power: str) -> None:
    async with open_admin(addresses) as admin:
        try:
            await admin.execute(
                """create role unsafe_owner;
                create table public.left_over ();
                alter table public.left_over owner to unsafe_owner"""
            )
            await admin.execute(f"create role unsafe password 'unsafe' {power}")
            assert await refused(
                make_url(addresses.database_url).set(username="unsafe", password="unsafe").render_as_string(False)
            )
        finally:
            await admin.execute("drop table public.left_over; drop role unsafe; drop role unsafe_owner")


async def test_the_api_does_not_start_with_such_a_login(settings: Settings, addresses: Addresses) -> None:
    unsafe = settings.model_copy(update={"database_url": addresses.database_worker_url})
    with pytest.raises(UnsafeRoleError, match="`picture migrate` makes one"):
        async with open_resources(unsafe):
            pass
