"""Houses for uploads: over a folder behind our own address, and over a bucket that checks signatures."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from storage.config import S3Config
from tests.conftest import House
from tests.s3 import open_rclone
from tests.uploading import start


@pytest.fixture(scope="session")
async def bucket_config(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[S3Config]:
    async with open_rclone(tmp_path_factory.mktemp("uploads")) as config:
        yield config


@pytest.fixture
def in_bucket(bucket_config: S3Config) -> dict[str, Any]:
    """The settings of a bucket."""
    names = ("endpoint", "bucket", "region", "access_key_id", "secret_access_key")
    return {f"s3_{name}": getattr(bucket_config, name) for name in names}


@pytest.fixture(params=["folder", "bucket"])
def storing(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The settings of the one storage, then of the other."""
    found: dict[str, Any] = request.getfixturevalue("in_bucket") if request.param == "bucket" else {}
    return found


@pytest.fixture
async def hall(empty_house: House, storing: dict[str, Any]) -> House:
    return await start(empty_house, **storing)


@pytest.fixture
async def gate(empty_house: House, storing: dict[str, Any]) -> House:
    """Over each storage, with nobody who checks what comes; addresses are good for 2 s."""
    empty_house.settings = empty_house.settings.model_copy(update={**storing, "upload_url_seconds": 2})
    await empty_house.start_api()
    return empty_house


@pytest.fixture
async def hut(empty_house: House) -> House:
    """Over a folder, with nobody who checks what comes."""
    await empty_house.start_api()
    return empty_house
