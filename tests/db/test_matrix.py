"""Nobody is given anything that nobody has looked at: `who_may.txt` is what was, and the catalogue what is."""

import os
from pathlib import Path

import asyncpg

from tests.db.matrix import who_may
from tests.db.visitors import ADMIN
from tests.services import Addresses

REVIEWED = Path(__file__).with_name("who_may.txt")
# What somebody might forget to look at, and what the matrix then says that nobody has read.
FORGOTTEN = {
    "create table forgotten (id int)": "forgotten is NOT BOUND BY POLICIES",
    "create table forgotten (id int); alter table forgotten enable row level security": "forgotten is NOT BOUND",
    "create table forgotten (id int); grant select on forgotten to anon": "forgotten for anon: select",
    "grant update (storage_path) on images to picture_api": "storage_path",
    "grant select (email) on profiles to authenticated": "email",
    "alter table images add column secret text; grant select (secret) on images to anon": "secret",
    "create policy more on images using (true)": "images policy more",
    "alter table images no force row level security": "images is NOT BOUND",
    "create view leak as select email from profiles": "leak is A VIEW THAT GOES PAST POLICIES",
    "create function picture.leak() returns int language sql as 'select 1'": "leak() runs as the caller, for anon",
    "create function picture.leak() returns int security definer language sql as 'select 1'": "leak() runs as its",
}


async def unreviewed(connection: asyncpg.Connection) -> set[str]:
    """What may be done otherwise than it was written down."""
    return set(await who_may(connection)) ^ set(REVIEWED.read_text().splitlines())


async def test_who_may_do_what_has_been_looked_at(addresses: Addresses) -> None:
    async with ADMIN.visit(addresses) as connection:
        if os.environ.get("REVIEWED"):
            REVIEWED.write_text("\n".join(await who_may(connection)) + "\n")
        new = await unreviewed(connection)
    assert new == set(), "read these; when they are right: REVIEWED=1 pytest tests/db/test_matrix.py"


async def test_what_is_forgotten_fails(addresses: Addresses) -> None:
    async with ADMIN.visit(addresses) as connection:
        for change, said in FORGOTTEN.items():
            attempt = connection.transaction()
            await attempt.start()
            await connection.execute(change)
            assert any(said in line for line in await unreviewed(connection)), change
            await attempt.rollback()


async def test_some_things_may_never_be(addresses: Addresses) -> None:
    """Whatever is written down: nothing past policies, no writing over REST, and nobody truncates."""
    async with ADMIN.visit(addresses) as connection:
        lines = [line for line in await who_may(connection) if not line.startswith("alembic_version")]
    over_rest = [line for line in lines if " for anon: " in line or " for authenticated: " in line]
    assert [line for line in lines if "PAST POLICIES" in line or "NOT BOUND" in line or "truncate" in line] == []
    writing = ("insert", "update", "delete", "references", "trigger")
    assert [
        line for line in over_rest if any(f" {verb}" in line.partition(":")[2].split("(")[0] for verb in writing)
    ] == []
