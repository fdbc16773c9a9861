import re
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / ".env.example"


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """.env.example, with something in each empty place."""
    env = tmp_path / ".env"
    env.write_text(re.sub(r"^(\w+)=$", r"\1=s3cret", EXAMPLE.read_text(), flags=re.MULTILINE))
    return env
