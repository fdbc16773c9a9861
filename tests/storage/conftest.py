"""Both kinds of storage, as real as they come, and pictures to put in."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from storage.config import FolderConfig, S3Config
from storage.objects import Storage, open_storage
from tests.s3 import open_rclone


@pytest.fixture(scope="session")
async def s3_config(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[S3Config]:
    """One server for all tests; the bucket's files lie in its folder."""
    async with open_rclone(tmp_path_factory.mktemp("s3")) as config:
        yield config


@pytest.fixture
async def bucket(s3_config: S3Config) -> AsyncIterator[Storage]:
    async with open_storage(s3_config) as storage:
        yield storage


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Storage]:
    async with open_storage(FolderConfig(tmp_path / "folder", "picture/")) as storage:
        yield storage


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest) -> Storage:
    """The one, then the other: each test of it holds for both."""
    found: Storage = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def fox(tmp_path: Path) -> Path:
    """A picture file, as an engine makes it: noise over a gradient."""
    picture = Image.linear_gradient("L").resize((640, 480))
    noise = Image.frombytes("L", (640, 480), os.urandom(640 * 480))
    path = tmp_path / "fox.png"
    Image.merge("RGB", (picture, Image.blend(picture, noise, 0.2), picture.transpose(Image.Transpose.ROTATE_180))).save(
        path
    )
    return path
