"""What a picture shows: hills, a sea, a town …; or nothing but shapes."""

import math
import random
from collections.abc import Callable, Sequence

from PIL import Image, ImageChops, ImageDraw

from gpu.simulator.canvas import FINE, Canvas, Point
from gpu.simulator.palettes import Colour, mix
from gpu.simulator.skies import above, sky, stars


def ridge(canvas: Canvas, base: float, height: float, roughness: float, *, is_sharp: bool = False) -> list[Point]:
    """A line from left to right at about `base`, in shares of the canvas' height; pixels."""
    rng = canvas.rng
    waves = [
        (rng.uniform(0.7, 1.6) * 2**n, rng.uniform(0, math.tau), roughness**n) for n in range(5 if is_sharp else 3)
    ]
    total = sum(amplitude for _, _, amplitude in waves)
    count = 96
    points = []
    for n in range(count + 1):
        share = n / count
        value = sum(a * _wave(share * f * math.tau + p, is_sharp=is_sharp) for f, p, a in waves) / total
        points.append((share * canvas.width, (base - height * value) * canvas.height))
    return points


def _wave(angle: float, *, is_sharp: bool) -> float:
    if not is_sharp:
        return math.sin(angle)
    return 1 - 4 * abs((angle / math.tau) % 1 - 0.5)


def ground(canvas: Canvas, line: Sequence[Point], colour: Colour, haze: Colour | None = None) -> None:
    """All below a line, a little paler at its foot when there is haze."""
    top = max(math.floor(min(y for _, y in line)), 0)
    height = canvas.height - top
    if height <= 0:
        return
    mask = Image.new("L", (canvas.width * FINE, height * FINE))
    points = [(x * FINE, (y - top) * FINE) for x, y in line]
    ImageDraw.Draw(mask).polygon([*points, (points[-1][0], height * FINE), (0, height * FINE)], fill=255)
    smooth = mask.reduce(FINE)
    if haze is None:
        canvas.fill(colour, smooth, (0, top))
        return
    shade = Image.new("RGB", (1, 2))
    shade.putpixel((0, 0), colour)
    shade.putpixel((0, 1), haze)
    canvas.image.paste(shade.resize((canvas.width, height), Image.Resampling.BILINEAR), (0, top), smooth)


def hills(canvas: Canvas) -> None:
    """Hills behind hills."""
    _land(canvas, horizon=canvas.rng.uniform(0.5, 0.62), is_sharp=False)


def mountains(canvas: Canvas) -> None:
    """Peaks behind peaks."""
    _land(canvas, horizon=canvas.rng.uniform(0.5, 0.6), is_sharp=True)


def _land(canvas: Canvas, horizon: float, *, is_sharp: bool) -> None:
    above(canvas, horizon)
    layers = 5
    for n in range(layers):
        share = n / (layers - 1)
        base = horizon + (0.95 - horizon) * share**1.25
        height = (0.13 if is_sharp else 0.06) * (1 - 0.45 * share)
        line = ridge(canvas, base, height, 0.55, is_sharp=is_sharp and n < 3)
        colour = canvas.palette.between(share)
        ground(canvas, line, colour, mix(colour, canvas.palette.horizon, 0.35 * (1 - share)))


def dunes(canvas: Canvas) -> None:
    """Slow waves of sand, lit from one side."""
    horizon = canvas.rng.uniform(0.45, 0.55)
    above(canvas, horizon)
    for n in range(4):
        share = n / 3
        line = ridge(canvas, horizon + 0.04 + 0.42 * share, 0.07, 0.35)
        colour = mix(canvas.palette.far, canvas.palette.near, share * 0.7)
        ground(canvas, line, mix(colour, canvas.palette.light, 0.25), colour)


def sea(canvas: Canvas) -> None:
    """Water to the horizon, with the light's path on it."""
    palette, rng = canvas.palette, canvas.rng
    horizon = rng.uniform(0.54, 0.64)
    x, _ = above(canvas, horizon)
    edge = round(horizon * canvas.height)
    water = canvas.image.crop((0, max(2 * edge - canvas.height, 0), canvas.width, edge)).transpose(
        Image.Transpose.FLIP_TOP_BOTTOM
    )
    water = water.resize((canvas.width, canvas.height - edge), Image.Resampling.BILINEAR)
    canvas.image.paste(
        Image.blend(water, Image.new("RGB", water.size, mix(palette.near, palette.top, 0.4)), 0.5), (0, edge)
    )
    for n in range(42):
        depth = (n / 41) ** 1.6
        y = (horizon + (1 - horizon) * depth) * canvas.height
        spread = canvas.unit * (0.03 + 0.16 * depth)
        length, thick = spread * rng.uniform(0.3, 1.1), canvas.unit * (0.0012 + 0.0045 * depth)
        middle = x + rng.gauss(0, 0.5) * spread
        points = [(middle - length, y), (middle, y - thick), (middle + length, y), (middle, y + thick)]
        canvas.shape(palette.light, points, 0.55 * (1 - 0.6 * depth))
    if rng.random() < 0.7:
        line = ridge(canvas, horizon - 0.005, 0.03, 0.6, is_sharp=True)
        ground_line = [(px, min(py, edge)) for px, py in line]
        canvas.shape(mix(palette.far, palette.horizon, 0.25), [*ground_line, (canvas.width, edge), (0, edge)])


def city(canvas: Canvas) -> None:
    """Towers in the haze, some windows lit."""
    palette, rng = canvas.palette, canvas.rng
    above(canvas, 0.75)
    for layer in range(3):
        share = layer / 2
        colour = palette.between(0.25 + 0.75 * share)
        x = -rng.uniform(0, 0.06) * canvas.width
        while x < canvas.width:
            width = canvas.unit * rng.uniform(0.04, 0.1) * (0.8 + 0.5 * share)
            top = canvas.height * (0.86 - rng.uniform(0.05, 0.42) * (1 - 0.35 * share) + 0.1 * share)
            canvas.shape(colour, [(x, top), (x + width, top), (x + width, canvas.height), (x, canvas.height)])
            if layer:
                _windows(canvas, x, top, width, share)
            x += width * rng.uniform(0.85, 1.25)


def _windows(canvas: Canvas, left: float, top: float, width: float, share: float) -> None:
    size = max(canvas.unit * 0.0065, 1.0)
    draw = ImageDraw.Draw(canvas.image)
    lit = mix(canvas.palette.between(share), canvas.palette.light, 0.65)
    y = top + size * 2
    while y < canvas.height - size:
        x = left + size * 1.5
        while x + size * 1.5 < left + width:
            if canvas.rng.random() < 0.28:
                draw.rectangle((x, y, x + size * 0.8, y + size), fill=lit)
            x += size * 2.1
        y += size * 2.4


def space(canvas: Canvas) -> None:
    """Clouds of light, stars and a planet."""
    palette, rng = canvas.palette, canvas.rng
    deep = mix(palette.top, (4, 5, 18), 0.72)
    canvas.image.paste(deep, (0, 0, canvas.width, canvas.height))
    for colour in (palette.horizon, palette.far, palette.top, palette.light, palette.horizon):
        x, y = rng.random() * canvas.width, rng.random() * canvas.height
        canvas.glow(colour, x, y, canvas.unit * rng.uniform(0.35, 0.7), rng.choice((0.25, 0.3, 0.35, 0.4, 0.45, 0.5)))
    stars(canvas, 1.25, 260)
    x, y = canvas.width * rng.uniform(0.3, 0.7), canvas.height * rng.uniform(0.35, 0.65)
    radius = canvas.unit * rng.uniform(0.13, 0.22)
    _planet(canvas, x, y, radius)


def _planet(canvas: Canvas, x: float, y: float, radius: float) -> None:
    palette = canvas.palette
    canvas.glow(palette.horizon, x, y, radius * 2.1, 0.5)
    canvas.disc(mix(palette.far, palette.horizon, 0.5), x, y, radius)
    size = max(round(radius * 2), 2)
    round_mask = Image.new("L", (size * FINE, size * FINE))
    ImageDraw.Draw(round_mask).ellipse((0, 0, size * FINE - 1, size * FINE - 1), fill=255)
    shadow = Image.radial_gradient("L").resize((size * 2, size * 2), Image.Resampling.BILINEAR)
    shadow = shadow.crop((round(size * 0.75), round(size * 0.7), round(size * 0.75) + size, round(size * 0.7) + size))
    mask = ImageChops.multiply(round_mask.reduce(FINE), shadow.point(lambda v: min(round(v * 1.5), 255)))
    canvas.fill(mix(palette.near, (2, 3, 12), 0.5), mask, (round(x - size / 2), round(y - size / 2)))


def lights(canvas: Canvas) -> None:
    """Discs of light out of focus."""
    palette, rng = canvas.palette, canvas.rng
    sky(canvas, 1.0)
    canvas.image = Image.blend(canvas.image, Image.new("RGB", canvas.image.size, palette.near), 0.35)
    for _ in range(46):
        colour = mix(rng.choice((palette.light, palette.horizon, palette.far, palette.top)), (255, 255, 255), 0.15)
        radius = canvas.unit * rng.uniform(0.015, 0.11)
        x, y = rng.random() * canvas.width, rng.random() * canvas.height
        canvas.disc(colour, x, y, radius, rng.uniform(0.06, 0.26))
        canvas.disc(colour, x, y, radius * 0.86, 0.06)


def ribbons(canvas: Canvas) -> None:
    """Bands that flow across."""
    palette, rng = canvas.palette, canvas.rng
    sky(canvas, 0.9)
    shades = [palette.top, palette.far, palette.horizon, palette.light, palette.near]
    for n in range(11):
        base = 1.15 - n * 0.105
        upper = ridge(canvas, 1 - base, 0.16, 0.45)
        thick = canvas.height * rng.uniform(0.05, 0.16)
        lower = [(x, y + thick * (0.5 + 0.5 * math.sin(x / canvas.width * 3 + n))) for x, y in upper]
        canvas.shape(
            mix(shades[n % 5], shades[(n + 1) % 5], rng.random()), [*upper, *reversed(lower)], rng.uniform(0.35, 0.75)
        )


SCENES: dict[str, Callable[[Canvas], None]] = {
    "hills": hills,
    "mountains": mountains,
    "dunes": dunes,
    "sea": sea,
    "city": city,
    "space": space,
    "lights": lights,
    "ribbons": ribbons,
}
_WORDS = {
    "hills": "hill hills meadow field fields countryside valley landscape village garden snow snowy winter "
    "forest tree trees wood woods house cottage cabin",
    "mountains": "mountain mountains peak peaks alps cliff cliffs volcano canyon rock rocks",
    "dunes": "desert dune dunes sand sahara mars savanna",
    "sea": "sea ocean beach lake water river coast island lighthouse boat ship harbour harbor bay wave waves sail",
    "city": "city town street skyline skyscraper building buildings tokyo york london neon cyberpunk urban roofs",
    "space": "space galaxy nebula planet cosmos cosmic universe astronaut rocket alien orbit",
    "lights": "bokeh rain portrait lights macro candle party festival christmas dream flower flowers",
    "ribbons": "abstract pattern wave flow music logo texture wallpaper geometric swirl paint silk",
}


def choose(words: list[str], rng: random.Random) -> str:
    """The scene that fits these words, else any."""
    for word in words:
        for name, known in _WORDS.items():
            if word in known.split():
                return name
    return rng.choice(("hills", "hills", "mountains", "mountains", "sea", "dunes", "ribbons", "lights"))
