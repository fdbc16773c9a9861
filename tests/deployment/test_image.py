"""The image, built on a real engine from an image of this machine's Python."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import orjson
import pytest

from tests.deployment.docker_engine import COMPOSE, docker, import_base, open_engine

ROOT = Path(__file__).parents[2]
BASE, IMAGE = "picture-test/base:1", "picture-test/picture:1"
pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An engine that has the image."""
    with open_engine() as host:
        import_base(host, BASE)
        secrets = [f"--secret=id=pip,src={pip_settings(tmp_path_factory.mktemp('pip') / 'pip.conf')}"]
        if (npm := Path.home() / ".npmrc").is_file():
            secrets.append(f"--secret=id=npm,src={npm}")
        options = ["--network=host", f"--build-arg=BASE={BASE}", f"--tag={IMAGE}"]
        docker("build", "--progress=plain", *options, *secrets, str(ROOT), host=host)
        yield host
        docker("image", "rm", "--force", IMAGE, BASE, host=host)


def pip_settings(path: Path) -> Path:
    """Where pip of this machine looks first, for those in the build."""
    asked = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    index = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    path.write_text(f"[global]\nindex-url = {index}\n" if index else "[global]\n")
    return path


def run(host: str, *arguments: str) -> str:
    confined = ("--rm", "--read-only", "--tmpfs=/tmp", "--network=none", "--cap-drop=ALL", "--label=picture-test")
    return docker("run", *confined, *arguments, host=host)


def test_it_runs_picture_as_nobody_in_particular(host: str) -> None:
    about = orjson.loads(docker("image", "inspect", IMAGE, host=host))[0]["Config"]
    assert about["User"] == "10001:10001"
    assert "/healthz" in str(about["Healthcheck"]["Test"])
    assert "Usage: picture" in run(host, IMAGE, "--help")


def test_it_has_graphiql_and_what_was_locked_but_nothing_to_build_with(host: str) -> None:
    look = "import sys; from picture import graphiql; print((graphiql.BUILT / 'index.html').is_file()); "
    look += "from importlib.util import find_spec; print([n for n in ('pip', 'setuptools', 'pytest') if find_spec(n)])"
    assert run(host, "--entrypoint=python", IMAGE, "-c", look).splitlines() == ["True", "[]"]


def test_its_engine_comes_up_healthy_as_docker_compose_says(host: str, filled: Path) -> None:
    if COMPOSE is None:
        pytest.skip("no Compose here: `make test` brings it on Linux x86-64")
    command = [COMPOSE, "--project-name=picture-test", "--project-directory", ROOT, "--env-file", filled]
    environment = {"PATH": os.environ["PATH"], "DOCKER_HOST": host, "IMAGE": IMAGE}
    compose = partial(subprocess.run, env=environment, capture_output=True, text=True, check=False)
    try:
        up = compose([*command, "up", "--no-deps", "--no-build", "--pull=never", "--wait", "engine"])
        assert up.returncode == 0, up.stderr + compose([*command, "logs", "engine"]).stdout
    finally:
        compose([*command, "down", "--volumes"])
