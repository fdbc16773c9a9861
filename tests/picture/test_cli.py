"""The `picture` command, as a person at a terminal meets it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner
from jose import jwt

from picture.__main__ import COMMANDS, cli
from picture.home import ROLES, Home
from picture.settings import Settings
from picture.tokens import local_token

ROOT = Path(__file__).parents[2]


class Terminal:
    """Where commands are given in a home of one's own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        foreign = ("PICTURE_", "DATABASE_", "SUPABASE_", "S3_", "REDIS_", "COMFYUI_")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self.environment["PICTURE_HOME"] = str(home)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "picture", *arguments],
            cwd=ROOT, env={**self.environment, **environment}, capture_output=True, text=True,
        )  # fmt: skip

    def printed(self, *arguments: str, **environment: str) -> str:
        done = self.run(*arguments, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def refused(self, *arguments: str, **environment: str) -> str:
        """What is said when it does not work: a sentence, not a traceback."""
        done = self.run(*arguments, **environment)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "home")


def test_help_lists_every_command_and_loads_none(terminal: Terminal) -> None:
    listed = terminal.printed("--help")
    assert [line.split()[0] for line in listed.split("Commands:")[1].split("\n") if line.strip()] == list(COMMANDS)
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "picture", "--help"], cwd=ROOT, capture_output=True, text=True
    ).stderr
    assert not [name for name in ("pydantic", "sqlalchemy", "aiohttp", "strawberry", "gpu") if f" {name}\n" in loaded]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_knows_a_wrong_option(name: str) -> None:
    helped, wrong = CliRunner().invoke(cli, [name, "--help"]), CliRunner().invoke(cli, [name, "--nonsense"])
    assert (helped.exit_code, f"Usage: cli {name}" in helped.output) == (0, True)
    assert (wrong.exit_code, "No such option" in wrong.output) == (2, True)


def test_the_api_never_loads_the_gpu_half() -> None:
    program = (
        "import sys, picture.commands.api; print([m for m in sys.modules if m.split('.')[0] in ('gpu', 'docker')])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_a_token_is_of_the_form_that_supabase_gives_out(terminal: Terminal) -> None:
    token = terminal.printed("token", "alice", "--admin", "--ttl", "7d")
    claims = jwt.decode(token, Home(terminal.home).secrets()["token_secret"], "HS256", audience="authenticated")
    assert claims["role"] == "authenticated"
    assert claims["email"] == "alice@picture.local"
    assert claims["app_metadata"] == {"role": "admin"}
    assert claims["exp"] - claims["iat"] == 7 * 86_400


def test_a_name_is_the_same_person_each_time_and_in_each_home(tmp_path: Path) -> None:
    def subject(home: str, name: str) -> str:
        settings = Settings.given(home=tmp_path / home, token_secret=f"a long secret of home {home}")
        return str(jwt.get_unverified_claims(local_token(settings, name))["sub"])

    assert subject("one", "alice") == subject("one", "alice") == subject("two", "alice") != subject("one", "bob")


def test_local_tokens_end_where_supabase_begins(terminal: Terminal) -> None:
    assert "Supabase" in terminal.refused("token", "alice", SUPABASE_URL="https://project.supabase.co")


def test_a_ttl_that_is_none_is_a_wrong_call(terminal: Terminal) -> None:
    assert terminal.run("token", "alice", "--ttl", "soon").returncode == 2


def test_wrong_settings_are_all_named_whatever_the_command(terminal: Terminal) -> None:
    said = terminal.refused("ps", PICTURE_PORT="x", PICTURE_WORKERS="-1")
    assert "PICTURE_PORT" in said
    assert "PICTURE_WORKERS" in said


def test_where_nothing_runs_nothing_is_listed_or_ended(terminal: Terminal) -> None:
    assert orjson.loads(terminal.printed("ps", "--json")) == {role: [] for role in ROLES}
    assert terminal.printed("storage", "ls") == ""
    assert "Nothing runs" in terminal.run("down").stderr


@pytest.mark.parametrize("name", ["worker", "api"])
def test_a_process_without_addresses_says_which_it_needs(terminal: Terminal, name: str) -> None:
    assert "DATABASE_" in terminal.refused(name)


def test_a_port_that_is_taken_is_told_before_anything_starts(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"Port {port} is taken" in terminal.refused("up", "--port", port)
    assert not (terminal.home / "postgres").exists()


def test_addresses_of_databases_are_all_or_none(terminal: Terminal) -> None:
    said = terminal.refused("up", DATABASE_URL="postgresql://picture@127.0.0.1:1/picture")
    assert "DATABASE_WORKER_URL" in said


def test_one_comfyui_is_for_one_worker(terminal: Terminal) -> None:
    said = terminal.refused("up", "--workers", "2", COMFYUI_URL="http://127.0.0.1:1")
    assert "One worker" in said
