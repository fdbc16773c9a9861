"""What stands in front of a scene: silhouettes of things that a prompt may name."""

import math

from gpu.simulator.canvas import Canvas, Point
from gpu.simulator.palettes import Colour, mix


def lighthouse(canvas: Canvas, x: float, foot: float, size: float) -> None:
    """A tower on a rock, its lamp lit."""
    dark, pale = canvas.palette.near, mix(canvas.palette.horizon, (255, 255, 255), 0.5)
    rock = [(-0.75, 0.2), (-0.5, 0.0), (-0.2, -0.06), (0.2, -0.05), (0.55, 0.05), (0.9, 0.25), (1.1, 0.6), (-1.0, 0.6)]
    _put(canvas, dark, rock, x, foot, size)
    _put(canvas, pale, [(-0.11, 0), (0.11, 0), (0.075, -0.8), (-0.075, -0.8)], x, foot, size)
    for n in (0, 2):
        low, high = -0.1 - n * 0.17, -0.27 - n * 0.17
        wide, narrow = 0.11 + low * 0.045, 0.11 + high * 0.045
        stripe = [(-wide, low), (wide, low), (narrow, high), (-narrow, high)]
        _put(canvas, mix(canvas.palette.near, (200, 60, 50), 0.6), stripe, x, foot, size)
    _put(canvas, dark, [(-0.1, -0.8), (0.1, -0.8), (0.1, -0.83), (-0.1, -0.83)], x, foot, size)
    lamp = foot - size * 0.88
    beam = canvas.palette.light
    for side, spread in ((-1, 0.9), (1, 0.9), (-1, 0.5), (1, 0.5)):
        far = x + side * size * 6
        canvas.shape(beam, [(x, lamp), (far, lamp - size * spread), (far, lamp + size * spread * 0.3)], 0.09)
    _put(canvas, beam, [(-0.055, -0.83), (0.055, -0.83), (0.055, -0.93), (-0.055, -0.93)], x, foot, size)
    _put(canvas, dark, [(-0.08, -0.93), (0.08, -0.93), (0, -1.04)], x, foot, size)
    canvas.glow(beam, x, lamp, size * 0.45, 0.7)


def trees(canvas: Canvas, x: float, foot: float, size: float) -> None:
    """Some firs, the largest in the middle."""
    for n in range(7):
        offset = (n - 3) * size * 0.34 + canvas.rng.uniform(-0.1, 0.1) * size
        scale = size * canvas.rng.uniform(0.45, 0.75) * (1.25 - abs(n - 3) * 0.12)
        colour = mix(canvas.palette.near, canvas.palette.far, canvas.rng.uniform(0, 0.25))
        for step in range(4):
            top, wide = -1 + step * 0.2, 0.1 + step * 0.065
            fir = [(0, top), (wide, top + 0.36), (-wide, top + 0.36)]
            _put(canvas, colour, fir, x + offset, foot + size * 0.08, scale)
        _put(
            canvas,
            colour,
            [(-0.025, -0.1), (0.025, -0.1), (0.025, 0.1), (-0.025, 0.1)],
            x + offset,
            foot + size * 0.08,
            scale,
        )


def boat(canvas: Canvas, x: float, foot: float, size: float) -> None:
    """A boat under sail."""
    hull = [(-0.42, -0.06), (0.42, -0.06), (0.3, 0.08), (-0.3, 0.08)]
    _put(canvas, canvas.palette.near, hull, x, foot, size)
    pale = mix(canvas.palette.light, canvas.palette.horizon, 0.3)
    _put(canvas, pale, [(0.02, -0.95), (0.02, -0.1), (0.36, -0.1)], x, foot, size)
    _put(canvas, mix(pale, canvas.palette.far, 0.35), [(-0.02, -0.8), (-0.02, -0.1), (-0.28, -0.1)], x, foot, size)


def house(canvas: Canvas, x: float, foot: float, size: float) -> None:
    """A cottage with lit windows."""
    wall, roof = canvas.palette.between(0.8), mix(canvas.palette.near, (120, 40, 40), 0.35)
    _put(canvas, wall, [(-0.4, 0.1), (0.4, 0.1), (0.4, -0.35), (-0.4, -0.35)], x, foot, size)
    _put(canvas, roof, [(-0.5, -0.33), (0.5, -0.33), (0.28, -0.68), (-0.28, -0.68)], x, foot, size)
    _put(canvas, roof, [(0.14, -0.6), (0.24, -0.6), (0.24, -0.85), (0.14, -0.85)], x, foot, size)
    for left in (-0.28, 0.12):
        window = [(left, -0.22), (left + 0.15, -0.22), (left + 0.15, -0.05), (left, -0.05)]
        _put(canvas, canvas.palette.light, window, x, foot, size)


def birds(canvas: Canvas, x: float, foot: float, size: float) -> None:
    """A flock, far away."""
    for _ in range(7):
        bird_x, bird_y = x + canvas.rng.gauss(0, 0.9) * size, foot - size * canvas.rng.uniform(1.2, 2.1)
        wing = size * canvas.rng.uniform(0.06, 0.12)
        left = [(-1.0, -0.45), (-0.45, -0.6), (0, 0), (-0.45, -0.38)]
        for side in (1, -1):
            _put(canvas, canvas.palette.near, [(px * side, py) for px, py in left], bird_x, bird_y, wing)


def animal(canvas: Canvas, x: float, foot: float, size: float, coat: Colour | None = None) -> None:
    """Something with pointed ears, seated."""
    colour = coat or canvas.palette.near
    tail = [(0.2 + 0.3 * math.sin(a * 0.32), 0.05 - 0.42 * (a / 9) + 0.06 * (a > 6)) for a in range(10)]
    _put(
        canvas,
        mix(colour, canvas.palette.near, 0.25),
        [*tail, *((px + 0.13, py + 0.03) for px, py in reversed(tail))],
        x,
        foot,
        size,
    )
    body = [(0.27 * math.cos(a) * (1 + 0.22 * math.sin(a)), -0.26 + 0.33 * math.sin(a)) for a in _circle()]
    _put(canvas, colour, body, x, foot, size)
    _put(canvas, colour, [(-0.21, -0.3), (0.21, -0.3), (0.12, -0.7), (-0.12, -0.7)], x, foot, size)
    for side in (-1, 1):
        leg = [(side * 0.03, -0.4), (side * 0.14, -0.4), (side * 0.13, 0.06), (side * 0.02, 0.06)]
        _put(canvas, mix(colour, canvas.palette.near, 0.12), leg, x, foot, size)
    chest = [(0.09 * math.cos(a), -0.47 + 0.16 * math.sin(a)) for a in _circle()]
    _put(canvas, mix(colour, (255, 250, 240), 0.55), chest, x, foot, size)
    head = [(0.19 * math.cos(a), -0.72 + 0.16 * math.sin(a)) for a in _circle()]
    _put(canvas, colour, head, x, foot, size)
    for side in (-1, 1):
        _put(canvas, colour, [(side * 0.17, -0.74), (side * 0.05, -0.85), (side * 0.155, -1.02)], x, foot, size)
        canvas.disc(canvas.palette.light, x + side * 0.07 * size, foot - 0.735 * size, max(0.02 * size, 1))


def _circle() -> list[float]:
    return [n / 24 * math.tau for n in range(24)]


def _put(canvas: Canvas, colour: Colour, points: list[Point], x: float, foot: float, size: float) -> None:
    canvas.shape(colour, [(x + px * size, foot + py * size) for px, py in points])


_WORDS = {
    "lighthouse": lighthouse,
    "forest": trees,
    "tree": trees,
    "trees": trees,
    "pine": trees,
    "wood": trees,
    "woods": trees,
    "boat": boat,
    "ship": boat,
    "sail": boat,
    "sailboat": boat,
    "house": house,
    "cottage": house,
    "cabin": house,
    "village": house,
    "bird": birds,
    "birds": birds,
    "gulls": birds,
}
COATS: dict[str, Colour] = {
    "fox": (214, 98, 38),
    "cat": (46, 40, 52),
    "dog": (150, 104, 62),
    "wolf": (104, 110, 122),
    "kitten": (214, 160, 96),
    "lynx": (184, 140, 92),
    "squirrel": (168, 84, 40),
}


def draw(canvas: Canvas, words: list[str], colours: list[Colour]) -> None:
    """The first two things that the prompt names, in front."""
    done: set[object] = set()
    tint = mix(colours[0], (30, 24, 30), 0.12) if colours else None
    for word in words:
        figure = _WORDS.get(word)
        x = canvas.width * canvas.rng.choice((0.3, 0.38, 0.62, 0.7))
        foot, size = canvas.height * canvas.rng.uniform(0.78, 0.86), canvas.unit * canvas.rng.uniform(0.26, 0.34)
        if word in COATS and animal not in done:
            animal(canvas, x, foot, size * 1.15, mix(COATS[word], tint, 0.6) if tint else COATS[word])
            done.add(animal)
        elif figure is not None and figure not in done:
            figure(canvas, x, foot, size)
            done.add(figure)
        if len(done) == 2:
            return
