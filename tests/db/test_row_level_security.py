"""Who sees and changes which rows, with no filter of ours in between: `one_of_each.sql` is what there is."""

from pathlib import Path

import asyncpg
import pytest

from tests.db.visitors import ADMIN, ALICE, API_ADMIN, API_ALICE, REST_ALICE, STRANGERS, WORKER, Visitor
from tests.services import Addresses

SEED = Path(__file__).with_name("one_of_each.sql")
TABLES = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
RELATIONS = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')"
COLUMNS = """select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped
    and attgenerated = '' and attidentity = ''"""

# What everybody may see of what is alice's, and what she sees herself.
PUBLIC = {
    "profiles": {"alice"},
    "models": {"model", "retired"},
    "images": {"public"},
    "tags": {"on public"},
    "image_tags": {"on public"},
    "image_words": {"public"},
    "prompt_templates": {"public"},
}
OWN = {
    "profiles": {"alice"},
    "models": {"model", "retired"},
    "images": {"public", "private", "archived", "hidden"},
    "tags": {"on public", "on private", "on archived", "unused"},
    "image_tags": {"on public", "on private", "on archived"},
    "image_words": {"public", "private", "archived", "hidden"},
    "prompt_templates": {"public", "private"},
    "image_generations": {"fox"},
    "batch_generations": {"batch"},
    "image_likes": {"a row"},
    "batch_progress": {"batch"},
    "multi_generation_groups": {"fox"},
}
# What Picture keeps about her; not over REST.
KEPT = {name: {"a row"} for name in ("user_rate_limits", "generation_events", "idempotency_keys", "objects", "uploads")}
NAMES = {
    "profiles": "username",
    "models": "slug",
    "images": "blurhash",
    "tags": "name",
    "image_tags": "(select name from tags where id = tag_id)",
    "image_words": "(select blurhash from images where id = image_id)",
    "prompt_templates": "name",
    "image_generations": "prompt",
    "batch_generations": "name",
    "batch_progress": "name",
    "multi_generation_groups": "prompt",
}
stranger = pytest.mark.parametrize("who", STRANGERS, ids=str)


@pytest.fixture
async def furnished(addresses: Addresses) -> Addresses:
    """Alice has one of each."""
    connection = await asyncpg.connect(addresses.database_admin_url)
    await connection.execute(SEED.read_text().replace("ALICE", f"'{ALICE}'"))
    await connection.close()
    return addresses


async def names(connection: asyncpg.Connection, query: str, *values: str) -> list[str]:
    return [row[0] for row in await connection.fetch(query, *values)]


async def seen(addresses: Addresses, who: Visitor) -> dict[str, set[str]]:
    """The names of all rows of all relations that one may read."""
    found: dict[str, set[str]] = {}
    async with who.visit(addresses) as connection:
        for relation in await names(connection, RELATIONS):
            try:
                async with connection.transaction():
                    query = f"select {NAMES.get(relation, repr('a row'))} from {relation}"
                    found[relation] = set(await names(connection, query))
            except asyncpg.InsufficientPrivilegeError:
                continue
    return {relation: rows for relation, rows in found.items() if rows}


@stranger
async def test_a_stranger_sees_what_is_public_and_nothing_else(furnished: Addresses, who: Visitor) -> None:
    assert await seen(furnished, who) == PUBLIC


async def test_everybody_sees_their_own(furnished: Addresses) -> None:
    assert await seen(furnished, API_ALICE) == OWN | KEPT
    assert await seen(furnished, REST_ALICE) == OWN


async def test_a_worker_sees_what_jobs_need_which_is_all(furnished: Addresses) -> None:
    all_there_is = await seen(furnished, ADMIN)
    assert all_there_is.keys() >= set(await tables(furnished))
    assert await seen(furnished, WORKER) == all_there_is


async def tables(addresses: Addresses) -> list[str]:
    async with ADMIN.visit(addresses) as connection:
        return await names(connection, TABLES)


async def attempts(addresses: Addresses) -> dict[str, tuple[str, list[str]]]:
    """Ways to write to each table: a copy of alice's row, a column set anew, and every row gone."""
    tried: dict[str, tuple[str, list[str]]] = {}
    async with ADMIN.visit(addresses) as connection:
        for table in await names(connection, TABLES):
            row = await connection.fetchval(f"select row_to_json(t)::text from {table} t limit 1")
            columns = await names(connection, COLUMNS, table)
            listed = ", ".join(columns)
            copy = f"insert into {table} ({listed}) select {listed} from json_populate_record(null::{table}, $1::json)"
            tried[f"insert {table}"] = copy, [row]
            for column in columns:
                tried[f"update {table}.{column}"] = f"update {table} set {column} = default", []
            tried[f"delete {table}"] = f"delete from {table}", []
    return tried


async def written(addresses: Addresses, who: Visitor) -> set[str]:
    """Which of these touch a row, but for the columns that an update changes."""
    return {name.partition(".")[0] for name in await touched(addresses, who)}


async def touched(addresses: Addresses, who: Visitor) -> set[str]:
    """Which of these touch a row."""
    done: set[str] = set()
    tried = await attempts(addresses)
    async with who.visit(addresses) as connection:
        for name, (statement, values) in tried.items():
            attempt = connection.transaction()
            await attempt.start()
            try:
                if await connection.execute(statement, *values) not in ("UPDATE 0", "DELETE 0"):
                    done.add(name)
            except asyncpg.InsufficientPrivilegeError:
                continue
            except asyncpg.IntegrityConstraintViolationError:
                done.add(name)  # it was let in, and only the value is refused
            finally:
                await attempt.rollback()
    return done


@stranger
async def test_a_stranger_changes_nothing_of_alices(furnished: Addresses, who: Visitor) -> None:
    models = {f"{verb} models" for verb in ("insert", "update", "delete")}
    tags = {"update tags"}
    assert await written(furnished, who) == ((models | tags) if who is API_ADMIN else set())


async def test_alice_herself_changes_nothing_over_rest(furnished: Addresses) -> None:
    assert await written(furnished, REST_ALICE) == set()


async def test_of_her_images_alice_changes_the_marks_and_nothing_else(furnished: Addresses) -> None:
    """Not their bytes, counts or origin, nor that they are hidden; of a tag its colour, of a profile what is shown."""
    done = await touched(furnished, API_ALICE)
    changed = {name.removeprefix("update ") for name in done if name.startswith("update ")}
    assert {name.partition(".")[2] for name in changed if name.startswith("images.")} == {
        "archived_at", "is_favorite", "is_public", "publication_id", "rating", "updated_at"
    }  # fmt: skip
    assert {name for name in changed if name.startswith(("tags.", "profiles."))} == {
        "tags.color", "profiles.username", "profiles.avatar_url", "profiles.updated_at"
    }  # fmt: skip
    assert not {name for name in done if any(table in name for table in ("reports", "audit_log", "image_likes"))} - {
        "insert reports"
    }


async def test_a_worker_changes_all_but_what_an_operator_has_done(furnished: Addresses) -> None:
    done = await touched(furnished, WORKER)
    assert {name for name in await attempts(furnished) if "audit_log" not in name} - done == set()
    assert {name for name in done if "audit_log" in name} == {"insert audit_log"}


async def test_alice_may_not_take_what_is_kept_about_her(furnished: Addresses) -> None:
    refused = {"profiles", "models", "user_rate_limits", "objects", "tags", "generation_events"}
    assert {f"delete {table}" for table in refused} & await written(furnished, API_ALICE) == set()


async def test_no_table_can_be_forgotten(addresses: Addresses) -> None:
    async with ADMIN.visit(addresses) as connection:
        unbound = await names(connection, f"{TABLES} and not (relrowsecurity and relforcerowsecurity)")
        assert unbound == []
        assert len(await names(connection, TABLES)) >= 18
        views = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'v'"
        invokers = await names(connection, f"{views} and 'security_invoker=true' = any (reloptions)")
        assert (
            sorted(invokers) == sorted(await names(connection, views)) == ["batch_progress", "multi_generation_groups"]
        )
