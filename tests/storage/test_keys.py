"""Keys say what they are for, and nothing else passes for one."""

from uuid import uuid4

import pytest

from storage import keys
from storage.config import FolderConfig, S3Config
from storage.errors import KeyRefusedError
from storage.keys import ImageKey, Variant


@pytest.mark.parametrize("prefix", ["", "picture/", "a/b/"])
def test_a_key_is_read_as_it_was_made(prefix: str) -> None:
    generation_id, attempt_id = uuid4(), uuid4()
    key = keys.image_key(prefix, generation_id, attempt_id, 3, "small", "webp")
    assert key == f"{prefix}generations/{generation_id}/{attempt_id}/3-small.webp"
    assert keys.parse(prefix, key) == ImageKey(generation_id, attempt_id, 3, Variant.SMALL, "webp")
    assert keys.check(key, prefix) == key


@pytest.mark.parametrize("name", ["3-small", "3-tiny.webp", "x-small.webp", "03-small.webp", "3-small.webp/x", ""])
def test_another_key_is_not_taken_for_ours(name: str) -> None:
    with pytest.raises(KeyRefusedError):
        keys.parse("picture/", f"picture/generations/{uuid4()}/{uuid4()}/{name}")
    with pytest.raises(KeyRefusedError):
        keys.parse("picture/", keys.image_key("others/", uuid4(), uuid4(), 0, "full", "png"))


def test_a_content_type_follows_from_the_extension() -> None:
    found = [keys.content_type_of(key) for key in ("a/0-full.webp", "a/b.PNG", "a.png/b", "a/b.html", "a")]
    assert found == ["image/webp", "image/png", *["application/octet-stream"] * 3]


def test_a_prefix_ends_where_a_folder_would(tmp_path: object) -> None:
    config = S3Config(bucket="b", access_key_id="k", secret_access_key="s", prefix="/picture")
    assert config.prefix == "picture/"
    assert FolderConfig(root=None).prefix == ""  # type: ignore[arg-type]
