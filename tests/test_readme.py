"""What the README tells a newcomer to type works, as it stands there."""

import asyncio
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from gpu.entries import DeclaredModel
from picture.settings import variables
from tests.crash.up import open_up

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
ADDRESS = "127.0.0.1:8000"


def blocks(language: str, before: str = "") -> list[str]:
    """The README's code of one language, only that behind the line `before`."""
    return re.findall(rf"^{before}```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl on this machine")
async def test_a_token_a_picture_and_watching_it(tmp_path: Path) -> None:
    async with open_up(tmp_path / "home") as up:
        here = f"{Path(sys.executable).parent}/"
        typed = "".join(["set -eu\n", *blocks("sh", "<!-- runs -->\n")])
        script = typed.replace(".venv/bin/", here).replace(ADDRESS, f"127.0.0.1:{up.port}")
        (watch,) = blocks("python")
        (tmp_path / "watch.py").write_text(watch.replace(ADDRESS, f"127.0.0.1:{up.port}"))
        shell = await asyncio.create_subprocess_exec(
            "sh", "-c", script, cwd=tmp_path, env=up.environment, stdout=asyncio.subprocess.PIPE
        )
        said = (await asyncio.wait_for(shell.communicate(), 60))[0].decode()
    assert shell.returncode == 0
    assert '"status":"QUEUED"' in said
    assert f"http://127.0.0.1:{up.port}/i/" in said.splitlines()[-1], said


def test_the_example_of_a_model_is_one() -> None:
    (example,) = blocks("toml")
    (model,) = tomllib.loads(example)["models"]
    assert DeclaredModel.model_validate(model).slug == "my-model"


def pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md"), *ROOT.glob("docs/decisions/*.md")]


def test_every_page_that_is_linked_is_there() -> None:
    missing = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target in re.findall(r'(?:\]\(|src=")([^)"#]+)', re.sub(r"(?s)```.*?```", "", page.read_text()))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert missing == []


def test_every_file_that_is_named_is_there() -> None:
    missing = [
        f"{page.relative_to(ROOT)}: {name}"
        for page in pages()
        for name in re.findall(r"`([\w./-]+\.(?:py|toml|sql|graphql|txt))`", page.read_text())
        if not any((folder / name).exists() for folder in (ROOT, ROOT / page.stem, ROOT / page.stem / "simulator"))
    ]
    assert missing == []


def test_every_setting_that_is_named_is_one() -> None:
    elsewhere = {"COMFYUI_IMAGE", "COMFYUI_MODELS", "COMFYUI_MODELS_AT", "S3_ALLOW_ORIGIN"}  # of docker-compose.yml
    named = {
        (str(page.relative_to(ROOT)), name)
        for page in pages()
        for name in re.findall(
            r"\b(?:PICTURE|DATABASE|SUPABASE|S3|COMFYUI|REDIS)_[A-Z0-9_]*[A-Z0-9]\b", page.read_text()
        )
    }
    assert {(page, name) for page, name in named if name not in {*variables(), *elsewhere}} == set()
