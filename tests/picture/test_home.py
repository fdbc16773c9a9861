"""The folder of one checkout."""

import socket
from pathlib import Path

import pytest

from picture.home import Home, Process, Running, complete, is_free
from picture.settings import Settings
from picture.trouble import Trouble


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.make(tmp_path / "home")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_port_stays_the_same(home: Home) -> None:
    assert home.port("redis") == home.port("redis") != home.port("postgres")


def test_a_port_that_somebody_has_taken_is_given_up_for_good(home: Home) -> None:
    port = home.port("redis")
    with socket.create_server(("127.0.0.1", port)):
        other = home.port("redis")
    assert other != port
    assert home.port("redis") == other


def test_a_port_may_be_preferred_while_it_is_free(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not is_free(port)
        assert home.port("api", preferred=port) != port
    assert home.port("other", preferred=port) == port


def test_secrets_are_made_once_and_for_the_owner_only(home: Home) -> None:
    first = home.secrets()
    assert home.secrets() == first
    assert len(set(first.values())) == len(first)
    assert (mode(home.path), mode(home.path / "secrets.json")) == (0o700, 0o600)


def test_a_secret_that_a_later_release_needs_is_added(home: Home) -> None:
    (home.path / "secrets.json").write_text('{"secret": "an old one"}')
    assert home.secrets()["secret"] == "an old one"
    assert home.secrets()["token_secret"]


def test_one_home_is_for_one(home: Home) -> None:
    with home.lock():
        assert home.holder()
        with pytest.raises(Trouble, match=r"already runs.*picture down"), home.lock():
            pass
    assert home.holder() is None


def test_what_runs_is_told_while_it_runs(home: Home) -> None:
    settings = Settings.given(home=home.path)
    with home.lock():
        pid = home.holder()
        assert pid
        process = Process(1, "redis://127.0.0.1:1/0", "2026-01-01T00:00:00Z", 0)
        home.write_running(Running(pid, {"redis_url": "redis://:password@127.0.0.1:1/0"}, {"redis": [process]}))
        assert mode(home.path / "run.json") == 0o600
        running = home.running()
        assert running
        assert running.roles["redis"] == [process]
        assert complete(settings).redis_url == "redis://:password@127.0.0.1:1/0"
    assert home.running() is None  # though the file is there still
    assert complete(settings).redis_url is None


def test_secrets_fill_what_has_no_value(home: Home) -> None:
    known = home.secrets()
    settings = complete(Settings.given(home=home.path))
    assert (settings.secret, settings.token_secret) == (known["secret"], known["token_secret"])


def test_one_secret_is_enough_to_be_told(home: Home) -> None:
    told = {"home": home.path, "secret": "the same on every machine"}
    first, second = complete(Settings.given(**told)), complete(Settings.given(**told | {"home": home.path / "other"}))
    assert first.token_secret == second.token_secret is not None
    assert first.token_secret != first.secret


def test_there_is_no_local_secret_beside_supabase(home: Home) -> None:
    home.secrets()
    assert complete(Settings.given(home=home.path, supabase_url="https://project.supabase.co")).token_secret is None


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(Trouble, match="PICTURE_HOME"):
        Home.make(tmp_path / "home")
