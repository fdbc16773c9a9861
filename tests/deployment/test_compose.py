"""docker-compose.yml, as Docker's own Compose reads it."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest

from picture.settings import variables
from tests.deployment.docker_engine import COMPOSE

ROOT = Path(__file__).parents[2]
SECRETS = re.findall(r"^(\w+)=$", (ROOT / ".env.example").read_text().partition("# Who may sign")[0], re.MULTILINE)

pytestmark = pytest.mark.skipif(COMPOSE is None, reason="no Compose here: `make test` brings it on Linux x86-64")


def config(env: Path, *arguments: str, profile: str = "simulated") -> subprocess.CompletedProcess[str]:
    command = [str(COMPOSE), "--project-directory", str(ROOT), "--env-file", str(env), "config", *arguments]
    environment = {"PATH": os.environ["PATH"], "COMPOSE_PROFILES": profile}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def services(env: Path, profile: str) -> dict[str, Any]:
    answer = config(env, "--format", "json", profile=profile)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = orjson.loads(answer.stdout)["services"]
    return found


@pytest.mark.parametrize(("profile", "engine"), [("simulated", "engine"), ("gpu", "comfyui")])
def test_each_profile_is_a_whole_system(filled: Path, profile: str, engine: str) -> None:
    always = {"postgres", "redis", "s3", "migrate", "api", "worker", "scheduler"}
    assert set(services(filled, profile)) == always | {engine}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_is_not_set_is_asked_for_by_name(filled: Path, name: str) -> None:
    filled.write_text(filled.read_text().replace(f"{name}=s3cret", f"{name}="))
    answer = config(filled, "-q")
    assert answer.returncode != 0
    assert f"required variable {name} is missing a value: set it in .env" in answer.stderr


def test_comfyui_is_not_reachable_from_outside_and_cannot_change_the_models(filled: Path) -> None:
    comfyui = services(filled, "gpu")["comfyui"]
    assert "ports" not in comfyui
    assert [mount.get("read_only") for mount in comfyui["volumes"] if mount["target"].endswith("/models")] == [True]


def test_each_process_is_told_settings_that_there_are_and_no_login_but_its_own(filled: Path) -> None:
    found = services(filled, "simulated")
    told = {name: set(found[name]["environment"]) for name in ("migrate", "api", "worker", "scheduler")}
    assert {name: names - set(variables()) for name, names in told.items() if names - set(variables())} == {}
    logins = {name: [key for key in names if key.startswith("DATABASE")] for name, names in told.items()}
    assert logins["api"] == ["DATABASE_URL"]
    assert logins["worker"] == logins["scheduler"] == ["DATABASE_WORKER_URL"]


def test_everything_that_stays_up_is_started_again_and_ours_can_write_nowhere_else(filled: Path) -> None:
    found = services(filled, "simulated")
    assert {name for name, service in found.items() if service["restart"] != "unless-stopped"} == {"migrate"}
    assert {name for name, service in found.items() if service.get("read_only")} == {
        *("migrate", "api", "worker", "scheduler", "engine")
    }
