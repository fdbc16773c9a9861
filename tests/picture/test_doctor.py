"""What is wrong is told with what to do."""

from pathlib import Path
from typing import Any

import pytest

from picture.checks.finding import State
from picture.doctor import examine
from picture.settings import Settings
from tests.conftest import House

NOWHERE = "127.0.0.1:1"


async def found(settings: Settings) -> dict[str, tuple[State, str]]:
    """By subject: the worst that was said, with the advice."""
    told: dict[str, tuple[State, str]] = {}
    order = list(State)
    async for finding in examine(settings):
        last = told.get(finding.subject)
        if last is None or order.index(finding.state) > order.index(last[0]):
            told[finding.subject] = (finding.state, f"{finding.said} {finding.advice}")
    return told


async def test_all_is_well_where_all_is_well(house: House) -> None:
    rest = {"database_admin_url": house.addresses.database_admin_url, "comfyui_url": house.engine.url}
    told = await found(house.settings.model_copy(update=rest))
    assert {subject: said for subject, said in told.items() if said[0] is not State.OK} == {}
    assert {"DATABASE_URL", "tables", "clock", "Redis", "storage", "engine", "models"} <= set(told)


@pytest.fixture
def broken(tmp_path: Path) -> Settings:
    return Settings.given(
        home=tmp_path,
        database_url=f"postgresql://picture:hunter2@{NOWHERE}/picture",
        database_worker_url=f"postgresql://picture:hunter2@{NOWHERE}/picture",
        redis_url=f"redis://:hunter2@{NOWHERE}",
        comfyui_url=f"http://{NOWHERE}",
        s3_endpoint=f"http://{NOWHERE}",
        s3_bucket="pictures",
        s3_access_key_id="key",
        s3_secret_access_key="hunter2",
        clamav_url=f"tcp://{NOWHERE}",
        supabase_url=f"http://{NOWHERE}",
        host="0.0.0.0",
        allowed_origins=("*",),
    )


async def test_whatever_does_not_answer_is_named_with_what_to_do(broken: Settings) -> None:
    told = await found(broken)
    failures = {subject for subject, (state, _) in told.items() if state is State.FAILURE}
    services = {"Redis", "engine", "storage", "scanner"}
    assert failures == {"DATABASE_URL", "DATABASE_WORKER_URL", "tokens", "secret"} | services
    assert {subject for subject, (state, _) in told.items() if state is State.WARNING} == {"public address", "origins"}
    assert "hunter2" not in str(told)


async def test_before_the_first_start_nothing_is_wrong(tmp_path: Path) -> None:
    told = await found(Settings.given(home=tmp_path))
    assert {subject: said for subject, said in told.items() if said[0] is not State.OK} == {}


async def test_a_login_that_escapes_row_level_security_is_a_failure(house: House) -> None:
    changes: dict[str, Any] = {"database_url": house.addresses.database_admin_url}
    state, said = (await found(house.settings.model_copy(update=changes)))["DATABASE_URL"]
    assert state is State.FAILURE
    assert "picture migrate" in said


async def test_tables_that_have_not_been_made_are_a_failure(house: House) -> None:
    def elsewhere(name: str) -> str:
        return f"{house.settings.require(name).rsplit('/', 1)[0]}/template1"

    changes = {"database_worker_url": elsewhere("database_worker_url")}
    assert (await found(house.settings.model_copy(update=changes)))["tables"][0] is State.FAILURE
