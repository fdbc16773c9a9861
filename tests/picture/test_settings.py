"""What the environment decides."""

from pathlib import Path

import pytest

from picture.settings import Settings, SettingsError, variables


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in variables():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)  # where no .env lies


def wrong(monkeypatch: pytest.MonkeyPatch, **environment: str) -> list[str]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    return str(caught.value).splitlines()[1:]


def test_all_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = wrong(
        monkeypatch,
        PICTURE_PORT="eighty",
        PICTURE_LEASE_SECONDS="0",
        PICTURE_RETRY_SECONDS="5,-1",
        DATABASE_URL="mysql://localhost/picture",
        COMFYUI_URL="localhost:8188",
    )
    named = [line.split()[0] for line in lines]
    assert sorted(named) == [
        "COMFYUI_URL", "DATABASE_URL", "PICTURE_LEASE_SECONDS", "PICTURE_PORT", "PICTURE_RETRY_SECONDS",
    ]  # fmt: skip
    assert "(it is 'eighty')" in "\n".join(lines)


def test_a_password_is_never_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = wrong(
        monkeypatch, REDIS_URL="http://:hunter2@redis", PICTURE_SECRET="hunter2", SUPABASE_JWT_SECRET="hunter2"
    )
    assert len(lines) == 3
    assert "hunter2" not in "".join(lines)


def test_a_misspelt_name_is_told_with_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wrong(monkeypatch, PICTURE_GENERATION_PER_HOUR="5") == [
        "  PICTURE_GENERATION_PER_HOUR is no setting; do you mean PICTURE_GENERATIONS_PER_HOUR?"
    ]


def test_names_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICTURE_SERVICE_HOST", "10.0.0.1")  # as Kubernetes sets for a service of this name
    assert Settings.load().port == 8000


def test_what_belongs_together_is_checked_together(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = wrong(monkeypatch, S3_ENDPOINT="https://s3.example", PICTURE_HEARTBEAT_SECONDS="20", PICTURE_PAGE_MAX="10")
    named = [line.split()[0] for line in lines]
    assert named == [
        "S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "PICTURE_HEARTBEAT_SECONDS", "PICTURE_PAGE_MAX",
    ]  # fmt: skip


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_URL", "")
    assert Settings.load().comfyui_url is None


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PICTURE_PORT=9001\nPICTURE_MAX_CONCURRENT=7\nREDIS_URL=redis://cache:6379/1\n")
    monkeypatch.setenv("PICTURE_PORT", "9002")
    settings = Settings.load()
    assert (settings.port, settings.max_concurrent, settings.redis_url) == (9002, 7, "redis://cache:6379/1")
    assert settings.public_url == "http://127.0.0.1:9002"


def test_the_local_secret_is_void_beside_supabase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICTURE_TOKEN_SECRET", "long enough to be a secret")
    assert Settings.load().token_secret
    monkeypatch.setenv("SUPABASE_URL", "https://project.supabase.co")
    assert Settings.load().token_secret is None


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, description in variables().items() if len(description) < 10] == []


def test_what_is_needed_and_missing_is_told_with_the_next_step() -> None:
    with pytest.raises(SettingsError, match=r"REDIS_URL is not set.*picture up"):
        Settings.given().require("redis_url")
