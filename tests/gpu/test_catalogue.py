import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from gpu import catalogue
from gpu.errors import CatalogueError

SD15 = "stable-diffusion-1.5"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """An operator's own copy, to be changed."""
    shutil.copy(catalogue.PACKAGED, tmp_path)
    shutil.copytree(catalogue.PACKAGED.parent / "workflows", tmp_path / "workflows")
    return tmp_path / "catalogue.toml"


def changed(path: Path, old: str, new: str) -> str:
    """What is said after `old` became `new`, once."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(CatalogueError) as raised:
        catalogue.load(path)
    return str(raised.value)


def test_the_packaged_catalogue_is_sound() -> None:
    loaded = catalogue.load()
    assert loaded.warnings == ()
    assert {"flux-schnell", "sdxl", "sdxl-lightning", SD15, "real-esrgan"} <= set(loaded.entries)


def test_a_row_says_what_clients_see() -> None:
    row = catalogue.load().entries["flux-schnell"].row()
    assert (row["default_steps"], row["min_steps"], row["max_steps"]) == (4, 1, 8)
    assert (row["default_guidance"], row["default_strength"]) == (None, None)
    assert row["capabilities"] == ["seed", "text_to_image"]
    assert row["modes"] == {"text_to_image": ["height", "imageCount", "prompt", "seed", "steps", "width"]}
    assert row["cost_per_image"] == Decimal("0.003")
    assert "21:9" in row["aspect_ratios"]


def test_a_fixed_setting_is_shown_and_cannot_be_set() -> None:
    row = catalogue.load().entries["sdxl-lightning"].row()
    assert (row["default_steps"], row["min_steps"], row["max_steps"]) == (4, 4, 4)
    assert (row["default_guidance"], row["min_guidance"], row["max_guidance"]) == (1.0, 1.0, 1.0)
    assert "steps" not in row["modes"]["text_to_image"]


def test_a_mode_is_offered_while_its_files_are_there() -> None:
    entry = catalogue.load().entries[SD15]
    files = {"checkpoints": {"v1-5-pruned-emaonly-fp16.safetensors"}}
    assert entry.available(files, "text_to_image")
    assert not entry.available(files, "inpaint")
    assert not entry.available(files, "upscale")
    assert not entry.available({}, "text_to_image")
    assert catalogue.load().available(files) == {SD15: ["text_to_image", "image_to_image"]}


def test_an_operators_own_catalogue_stands_in_its_place(mine: Path) -> None:
    mine.write_text(mine.read_text().replace('slug = "sdxl"', 'slug = "house-style"'))
    assert "house-style" in catalogue.load(mine).entries


def test_an_operator_may_allow_a_node_class(mine: Path) -> None:
    graph = mine.parent / "workflows" / "sdxl-txt2img.json"
    graph.write_text(graph.read_text().replace('"VAEDecode"', '"MyDecode"'))
    assert "the class MyDecode is not allowed" in changed(mine, "version = 1", "version = 1 ")
    mine.write_text(mine.read_text().replace("version = 1", 'version = 1\nallow_nodes = ["MyDecode"]', 1))
    assert "sdxl" in catalogue.load(mine).entries


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"workflows/sd15-img2img.json"', '"workflows/sd15-txt2img.json"', "no node titled sourceImage, strength"),
        ('name = "v1-5-pruned-emaonly-fp16.safetensors"', 'name = "other.safetensors"', "not among the files"),
        ('"workflows/sd15-txt2img.json"', '"workflows/nowhere.json"', "nowhere.json"),
        ('aspect_ratios = "square"', 'aspect_ratios = "sqare"', "no list of ratios named sqare"),
        ('aspect_ratios = "square"', 'aspect_ratios = ["1x1"]', "aspect_ratios"),
        ("steps = 25, ", "steps = 99, ", "the default for steps is outside its limits"),
        ("width = 512, height", "width = 500, height", "no multiple of size_multiple"),
        ("steps = [1, 60]", "steps = [60, 1]", "the first is greater than the second"),
        ("steps = [1, 60], ", "", "steps may be set, and has no limits"),
        ('"INPAINT"]', '"INPAINT", "UPSCALE"]', "the capability UPSCALE, and no graph for it"),
        ('"INPAINT"]', '"INPANIT"]', "capabilities"),
        ("fixed = { steps = 4, ", "fixed = { seeds = 4, ", "fixed.seeds"),
        ("defaults = { width = 1024, height = 1024 }  ", "defaults = { steps = 4 }  ", "a default for steps"),
        ('slug = "sdxl"', f'slug = "{SD15}"', "two models have one slug"),
        ('slug = "sdxl"', 'slug = "SD XL"', "slug"),
        ("version = 1", "version = 2", "version"),
        ("version = 1", "version = ", "catalogue.toml"),
    ],
)
def test_what_is_wrong_is_said(mine: Path, old: str, new: str, said: str) -> None:
    assert said in changed(mine, old, new)


def test_a_catalogue_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"nowhere\.toml"):
        catalogue.load(tmp_path / "nowhere.toml")
