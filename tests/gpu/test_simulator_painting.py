"""The pictures: always the same for the same, and marked as what they are."""

import pytest
from PIL import Image, ImageChops, ImageStat

from gpu.simulator.painting import Preview, draw, paint, sign
from gpu.simulator.values import Sketch

PROMPTS = [
    "a lighthouse at dusk",
    "a red fox in the snow",
    "neon city",
    "a green nebula",
    "silk, abstract",
    "",
    "漢字",
    "x" * 4000,
]


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt[:20])
def test_the_same_asked_for_twice_is_the_same_picture(prompt: str) -> None:
    first, second = (paint(Sketch(prompt, 7, 160, 96)) for _ in range(2))
    assert first.size == (160, 96)
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != paint(Sketch(prompt, 8, 160, 96)).tobytes()
    assert first.tobytes() != paint(Sketch(prompt, 7, 160, 96), 1).tobytes()


@pytest.mark.parametrize("size", [(1, 1), (8, 640), (2048, 64), (333, 111)])
def test_any_size_can_be_painted(size: tuple[int, int]) -> None:
    assert paint(Sketch("a boat on a lake at night", 3, *size)).size == size
    assert paint(Sketch("a boat on a lake at night", 3, *size), quick=True).size == size


def test_a_colour_word_colours_the_picture() -> None:
    green = ImageStat.Stat(draw(Sketch("an emerald valley", 5, 96, 96))).mean
    red = ImageStat.Stat(draw(Sketch("a crimson valley", 5, 96, 96))).mean
    assert green[1] > green[0]
    assert red[0] > red[1]


def test_a_picture_says_that_it_is_simulated() -> None:
    bare = draw(Sketch("hills", 5, 512, 512))
    signed = sign(bare.copy(), "simulated · seed 5", "hills")
    left, top, right, bottom = ImageChops.difference(bare, signed).getbbox() or (0, 0, 0, 0)
    assert left > 256
    assert top > 480
    assert right <= 512
    assert bottom <= 512


def test_a_weak_change_keeps_more_of_the_source_than_a_strong_one() -> None:
    source = Image.radial_gradient("L").convert("RGB").resize((96, 96))

    def distance(strength: float) -> float:
        image = draw(Sketch("purple mountains", 1, 96, 96, source, None, strength))
        return sum(ImageStat.Stat(ImageChops.difference(image, source)).mean)

    assert distance(0.1) < distance(0.5) < distance(0.9)


def test_previews_come_closer_to_the_picture() -> None:
    preview = Preview(Sketch("dunes", 1, 640, 320))
    frames = [preview.frame(step / 4) for step in range(1, 5)]
    assert frames == [Preview(Sketch("dunes", 1, 640, 320)).frame(step / 4) for step in range(1, 5)]
    assert all(len(frame) < 120_000 for frame in frames)
