"""Which colours a picture has: from the colour words and times of day in its prompt, else by chance."""

import colorsys
import random
import re
from collections.abc import Container
from dataclasses import dataclass
from itertools import pairwise

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """From the top of the sky down to the nearest ground."""

    top: Colour
    horizon: Colour
    light: Colour
    far: Colour
    near: Colour
    is_dark: bool = False

    def between(self, share: float) -> Colour:
        """Ground at a distance: 0 is far away, 1 is close."""
        return mix(self.far, self.near, share)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """A colour between two; 0 is the first."""
    r, g, b = (round(a + (c - a) * share) for a, c in zip(one, other, strict=True))
    return (r, g, b)


def _hex(text: str) -> Colour:
    return (int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16))


def _palette(text: str, *, is_dark: bool = False) -> Palette:
    top, horizon, light, far, near = (_hex(word) for word in text.split())
    return Palette(top, horizon, light, far, near, is_dark)


# top, horizon, light, far, near
_MOODS: dict[str, list[Palette]] = {
    "day": [
        _palette("3f8fd2 d8ecf5 fffbe8 9cc3d6 1f5c4d"),
        _palette("5aa9e6 f9f3e3 fff6cf a9c9c0 3c6e47"),
        _palette("2e9cca eaf6f0 fffdf0 8fc1b5 23594e"),
    ],
    "dusk": [
        _palette("2b2d5c f7a072 ffe3b3 9a6a88 20183a"),
        _palette("3a2e6e ff8c69 ffd9a0 8a5a83 1f1535"),
        _palette("1d3461 f6bd60 fff1d0 7d6b91 181d3a"),
        _palette("472d5b f28482 ffe8d6 a06d8d 2a1a3e"),
    ],
    "dawn": [
        _palette("7f9ccb ffd6c9 fff4e2 b7a3bf 4a4a70"),
        _palette("a0c4ff ffe5d9 fffaf0 c3b1c9 5a5a82"),
    ],
    "night": [
        _palette("070b24 2c4a7c f4f1de 274060 070d1c", is_dark=True),
        _palette("0b0a2a 4b3f8f fdf6e3 352f63 0a0820", is_dark=True),
        _palette("04121f 1f6f78 f0fff4 1b4d57 04141a", is_dark=True),
    ],
    "warm": [
        _palette("e76f51 f4d58d fff3c4 d98c5f 5a2a27"),
        _palette("bc4b51 f6c177 fff0d0 c97b63 3d1f2b"),
    ],
    "cold": [
        _palette("5e81ac eceff4 ffffff a3b8cc 3b4a63"),
        _palette("48626f dfe9ec ffffff 9fb4bd 2f4550"),
    ],
}
_WORDS = {
    "day": "day noon sunny summer morning meadow spring",
    "dusk": "dusk sunset evening twilight golden autumn romantic",
    "dawn": "dawn sunrise mist misty fog foggy pastel dreamy soft",
    "night": "night midnight moon star stars starry dark space galaxy nebula cosmos neon cyberpunk aurora",
    "warm": "desert dune dunes fire lava volcano canyon mars warm savanna",
    "cold": "snow snowy winter ice icy arctic frozen glacier cold polar",
}
_COLOURS = {
    "red": "d62839",
    "crimson": "b3122f",
    "scarlet": "e8352a",
    "orange": "f77f00",
    "amber": "ffb000",
    "gold": "d9a520",
    "golden": "e0a526",
    "yellow": "f6c90e",
    "lime": "8ecf2c",
    "green": "2a9d5c",
    "emerald": "0f9d6b",
    "olive": "7a8b2a",
    "teal": "1b8f8a",
    "turquoise": "2ec4b6",
    "cyan": "19b5d6",
    "blue": "2a6fdb",
    "azure": "3a9bf0",
    "navy": "1b2f6b",
    "indigo": "4b3fb3",
    "violet": "7b4fd0",
    "purple": "7a35b0",
    "lavender": "a99be0",
    "lilac": "b79adb",
    "magenta": "d1278f",
    "pink": "f07ba8",
    "rose": "e0607e",
    "brown": "8a5a3b",
    "copper": "b8683a",
    "beige": "d9c3a0",
    "silver": "b4bcc6",
    "grey": "8a94a0",
    "gray": "8a94a0",
    "white": "eef2f5",
    "black": "1c1e26",
}


def words_of(prompt: str) -> list[str]:
    """The prompt's words, in lower case, in their order."""
    return re.findall(r"[^\W\d_]+", prompt.lower())


def named(words: list[str]) -> list[Colour]:
    """The colours that the words name, in their order."""
    return [_hex(_COLOURS[word]) for word in words if word in _COLOURS]


def of_scene(words: list[str], things: Container[str]) -> list[str]:
    """The words without the colours that belong to a thing: the red of "a red fox" is no red sky."""
    pairs = pairwise([*words, ""])
    return [word for word, after in pairs if word not in _COLOURS or after not in things]


def choose(words: list[str], rng: random.Random) -> Palette:
    """The palette that fits these words, one of several by chance."""
    moods = [mood for word in words for mood, known in _WORDS.items() if word in known.split()]
    colours = named(words)
    base = rng.choice(_MOODS[moods[0]] if moods else [palette for group in _MOODS.values() for palette in group])
    if not colours:
        return base
    return _tinted(base, colours[0], colours[1] if len(colours) > 1 else None)


def _tinted(base: Palette, main: Colour, second: Colour | None) -> Palette:
    """A palette led by one or two colours, as light and dark as the given one."""
    other = second or _turned(main, 0.08)
    return Palette(
        top=mix(base.top, main, 0.75),
        horizon=mix(base.horizon, mix(other, (255, 255, 255), 0.45), 0.7),
        light=mix(base.light, other, 0.15),
        far=mix(base.far, mix(main, base.horizon, 0.35), 0.75),
        near=mix(mix(base.near, main, 0.35), (8, 8, 20), 0.35),
        is_dark=base.is_dark,
    )


def _turned(colour: Colour, turn: float) -> Colour:
    """The colour a little further around the wheel."""
    hue, light, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    r, g, b = (round(part * 255) for part in colorsys.hls_to_rgb((hue + turn) % 1, light, saturation))
    return (r, g, b)
