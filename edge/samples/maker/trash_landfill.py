"""Things for the landfill: each function draws one from a generator and a size in pixels."""

import numpy as np
from outlines import blob, box, ellipse, moved, points, profile, rounded, smooth, strip, zigzag
from palette import ANY, BLUE, DARK, GREEN, PALE, VIVID, YELLOW, darker, near, pick
from sprite import WHITE, Sprite
from textures import clouds, fractal, ridges, slope


def crisp_bag(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    w, h, pinch = rng.uniform(0.5, 0.66), rng.uniform(0.8, 0.93), rng.uniform(0.0, 0.1)
    teeth = int(rng.integers(8, 14))
    top, bottom = zigzag(rng, -w, w, -h, 0.03, teeth), zigzag(rng, w, -w, h, 0.03, teeth)
    sides = points((w - pinch, -h * 0.5), (w + pinch * 0.5, 0), (w - pinch, h * 0.55))
    outline = np.concatenate([top, sides, bottom, sides[::-1] * (-1, 1)])
    colour = pick(rng, VIVID, VIVID, ANY)
    sprite.fill(outline, colour)
    _print(rng, sprite, w)
    seal = darker(colour, 0.8) if rng.random() < 0.5 else pick(rng, PALE)
    for sign in (-1, 1):
        band = box(-1, sign * (h - 0.13), 1, sign * 1.0)
        sprite.fill(band, seal, 0.8, inside=True)
        for offset in (0.03, 0.06, 0.09):
            sprite.stroke(
                points((-1, sign * (h - offset)), (1, sign * (h - offset))),
                darker(seal, 0.7),
                0.012,
                inside=True,
            )
    crease = ridges(rng, sprite.alpha.shape, rng.uniform(4, 8)) + clouds(rng, sprite.alpha.shape, 5)
    sprite.weave(slope(crease, rng.uniform(0, 360)), rng.uniform(0.1, 0.22))
    sprite.barrel(w * 1.25, 0.3, rng.uniform(0, 0.35), rng.uniform(-0.5, 0.5))
    return sprite


def _print(rng: np.random.Generator, sprite: Sprite, w: float) -> None:
    """The bag's design: a stripe or a burst, a round emblem, bars for the writing."""
    second = pick(rng, VIVID, PALE, YELLOW)
    if rng.random() < 0.5:
        slant = rng.uniform(-0.4, 0.4)
        sprite.fill(
            points((-1, -0.3 + slant), (1, -0.3 - slant), (1, 0.35 - slant), (-1, 0.35 + slant)),
            second,
            inside=True,
        )
    else:
        sprite.fill(blob(rng, 0, rng.uniform(-0.2, 0.2), w * 0.8, 0.4, 12), second, inside=True)
    emblem = pick(rng, VIVID, DARK)
    sprite.fill(
        ellipse(rng.uniform(-0.15, 0.15), rng.uniform(-0.2, 0.1), w * 0.5, w * 0.32), emblem, inside=True
    )
    for i in range(int(rng.integers(1, 4))):
        y = 0.4 + 0.1 * i
        sprite.stroke(
            points((-w * 0.5, y), (w * rng.uniform(0, 0.5), y)), pick(rng, PALE, DARK), 0.05, inside=True
        )


def foam_cup(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    colour = pick(rng, PALE, PALE, PALE, ANY)
    top, bottom, rim = rng.uniform(0.56, 0.72), rng.uniform(0.34, 0.46), rng.uniform(0.1, 0.24)
    body = np.concatenate(
        [ellipse(0, -0.65, top, rim, 180, 0)[::4], ellipse(0, 0.72, bottom, rim * 0.6, 0, 180)]
    )
    sprite.fill(body, colour)
    if rng.random() < 0.6:
        band, y = pick(rng, VIVID, BLUE, GREEN), rng.uniform(-0.2, 0.2)
        wave = smooth(points((-1, y), (-0.3, y - 0.12), (0.2, y + 0.1), (1, y - 0.05)), closed=False)
        sprite.fill(strip(wave, np.full(len(wave), rng.uniform(0.05, 0.2))), band, inside=True)
    sprite.barrel(top, 0.28)
    sprite.weave(fractal(rng, sprite.alpha.shape, 20, 2), 0.035)
    sprite.fill(ellipse(0, -0.65, top, rim), np.minimum(colour * 1.08, 255))
    sprite.fill(ellipse(0, -0.63, top * 0.88, rim * 0.8), darker(colour, rng.uniform(0.5, 0.75)))
    for _ in range(int(rng.integers(1, 4))):
        x = rng.choice([-1, 1]) * top * rng.uniform(0.55, 1.0)
        sprite.cut(blob(rng, x, -0.72 + rng.uniform(-0.1, 0.25), rng.uniform(0.1, 0.2), 0.3, 9))
    return sprite


def broken_mug(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    colour = pick(rng, ANY, PALE, VIVID)
    w, top = rng.uniform(0.44, 0.56), rng.uniform(-0.7, -0.5)
    side = rng.choice([-1, 1])
    handle = ellipse(side * (w + 0.1), 0.08, rng.uniform(0.22, 0.3), rng.uniform(0.28, 0.38))
    sprite.stroke(handle, darker(colour, 0.85), rng.uniform(0.12, 0.18), closed=True)
    sprite.fill(ellipse(0, top, w, 0.16), darker(colour, 0.45))
    edge = zigzag(rng, -w, w, top + 0.08, rng.uniform(0.08, 0.2), int(rng.integers(3, 6)))
    base = ellipse(0, 0.66, w * rng.uniform(0.82, 1.0), 0.14, 0, 180)
    sprite.fill(np.concatenate([edge, base]), colour)
    sprite.stroke(edge, pick(rng, PALE), 0.05)
    if rng.random() < 0.6:
        sprite.fill(box(-1, 0.0, 1, rng.uniform(0.1, 0.4)), pick(rng, ANY), inside=True)
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(-0.4, 0.4), top + 0.1
        crack = points(
            (x, y), (x + rng.uniform(-0.15, 0.15), y + 0.3), (x + rng.uniform(-0.3, 0.3), y + 0.65)
        )
        sprite.stroke(crack, darker(colour, 0.35), 0.022, inside=True)
    sprite.relief(200, 0.3, 0.1)
    sprite.fill(
        points((-w * 0.6, -0.3), (-w * 0.45, -0.3), (-w * 0.5, 0.5), (-w * 0.62, 0.5)),
        WHITE,
        0.35,
        inside=True,
    )
    return sprite


def cutlery(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    colour = pick(rng, PALE, PALE, DARK, VIVID)
    neck, grip = rng.uniform(0.06, 0.08), rng.uniform(0.1, 0.15)
    sprite.fill(profile([(-0.2, neck), (0.1, neck), (0.6, grip), (0.93, grip * 0.9), (0.96, 0.02)]), colour)
    rng.choice([_fork, _fork, _spoon])(rng, sprite, colour)
    sprite.stroke(points((0, 0.1), (0, 0.8)), darker(colour, 0.8), 0.03, inside=True)
    sprite.relief(rng.uniform(0, 360), 0.4, 0.05)
    return sprite


def _fork(rng: np.random.Generator, sprite: Sprite, colour: np.ndarray) -> None:
    w, tines = rng.uniform(0.22, 0.3), int(rng.integers(3, 5))
    root = rng.uniform(-0.5, -0.4)
    sprite.fill(
        smooth(
            points((-w, root - 0.1), (w, root - 0.1), (w, -0.36), (0.07, -0.12), (-0.07, -0.12), (-w, -0.36))
        ),
        colour,
    )
    broken = int(rng.integers(tines)) if rng.random() < 0.6 else -1
    for i, x in enumerate(np.linspace(-w + 0.05, w - 0.05, tines)):
        tip = root - 0.15 if i == broken else -0.95
        sprite.fill(points((x - 0.055, root), (x - 0.03, tip), (x + 0.03, tip), (x + 0.055, root)), colour)


def _spoon(rng: np.random.Generator, sprite: Sprite, colour: np.ndarray) -> None:
    w = rng.uniform(0.22, 0.3)
    sprite.fill(ellipse(0, -0.52, w, 0.42), colour)
    sprite.fill(ellipse(0, -0.55, w * 0.75, 0.33), darker(colour, 0.82))


def sponge(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    soft, scour = pick(rng, YELLOW, ANY, PALE), pick(rng, GREEN, ANY, DARK)
    w, h, deep = rng.uniform(0.7, 0.88), rng.uniform(0.36, 0.5), rng.uniform(0.2, 0.32)
    face = rounded(-w, -h, w, h, 0.1)
    sprite.fill(moved(face, 0, deep), scour)
    sprite.weave(fractal(rng, sprite.alpha.shape, 30, 2), 0.16)
    sprite.fill(moved(face, 0, deep * rng.uniform(0.45, 0.7)), darker(soft, 0.75))
    sprite.fill(face, soft)
    for _ in range(int(rng.integers(30, 70))):
        hole = ellipse(rng.uniform(-w, w), rng.uniform(-h, h), *rng.uniform(0.015, 0.055, 2))[::5]
        sprite.fill(hole, darker(near(rng, soft), rng.uniform(0.55, 0.8)), 0.85, inside=True)
    sprite.relief(250, 0.2, 0.05)
    return sprite


ITEMS = (crisp_bag, foam_cup, broken_mug, cutlery, sponge)
