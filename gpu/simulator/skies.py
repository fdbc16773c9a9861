"""The upper half of a picture: sky, sun or moon, stars, clouds."""

from PIL import Image

from gpu.simulator.canvas import Canvas, fading
from gpu.simulator.palettes import mix


def sky(canvas: Canvas, horizon: float) -> None:
    """A gradient, brightest at the horizon, not quite even from left to right."""
    palette, rng = canvas.palette, canvas.rng
    rows = 8
    small = Image.new("RGB", (3, rows))
    for row in range(rows):
        share = min(row / (rows - 1) / max(horizon, 0.2), 1) ** 1.3
        for column in range(3):
            shade = mix(palette.top, palette.horizon, share)
            small.putpixel((column, row), mix(shade, palette.light, rng.uniform(0, 0.12) * share))
    canvas.image.paste(small.resize((canvas.width, canvas.height), Image.Resampling.BICUBIC))


def stars(canvas: Canvas, horizon: float, count: int = 160) -> None:
    """Points of light, some of them larger."""
    for _ in range(count):
        x, y = canvas.rng.random() * canvas.width, canvas.rng.random() ** 1.4 * horizon * canvas.height
        size = canvas.unit * canvas.rng.choice((0.0007, 0.0009, 0.0012, 0.0022))
        fade = 1 - y / (horizon * canvas.height) * 0.8
        canvas.disc(
            mix(canvas.palette.top, (255, 252, 240), fade), x, y, max(size, 0.6), canvas.rng.uniform(0.4, 1) * fade
        )


def light(canvas: Canvas, horizon: float) -> tuple[float, float]:
    """The sun or moon with its glow. Where it stands."""
    palette, rng = canvas.palette, canvas.rng
    x = canvas.width * rng.choice((0.28, 0.36, 0.64, 0.72))
    y = canvas.height * horizon * (rng.uniform(0.28, 0.5) if palette.is_dark else rng.uniform(0.45, 0.85))
    radius = canvas.unit * rng.uniform(0.045, 0.075)
    canvas.glow(palette.light, x, y, radius * 7, 0.65)
    canvas.glow(palette.light, x, y, radius * 2.4, 0.7)
    canvas.disc(palette.light, x, y, radius)
    if palette.is_dark and rng.random() < 0.6:  # a crescent
        canvas.disc(
            mix(palette.top, palette.horizon, y / canvas.height), x + radius * 0.42, y - radius * 0.2, radius * 0.9
        )
    return x, y


def clouds(canvas: Canvas, horizon: float, count: int) -> None:
    """Long soft bands."""
    for _ in range(count):
        width, height = canvas.width * canvas.rng.uniform(0.25, 0.6), canvas.unit * canvas.rng.uniform(0.012, 0.035)
        size = (max(round(width), 2), max(round(height), 2))
        mask = fading(0.6, 1.2).resize(size, Image.Resampling.BILINEAR)
        x = canvas.rng.uniform(-0.2, 0.9) * canvas.width
        y = canvas.rng.uniform(0.12, 0.75) * horizon * canvas.height
        canvas.fill(mix(canvas.palette.horizon, (255, 255, 255), 0.35), mask, (round(x), round(y)))


def above(canvas: Canvas, horizon: float) -> tuple[float, float]:
    """All that belongs over this horizon. Where the light stands."""
    sky(canvas, horizon)
    if canvas.palette.is_dark:
        stars(canvas, horizon)
    place = light(canvas, horizon)
    if not canvas.palette.is_dark:
        clouds(canvas, horizon, canvas.rng.randrange(3, 7))
    return place
