"""Things for the compost: each function draws one from a generator and a size in pixels."""

import numpy as np
from outlines import Points, blob, ellipse, points, profile, smooth, strip, turned, zigzag
from palette import BROWN, CREAM, DARK, GREEN, PALE, RED, YELLOW, Range, darker, near, pick
from sprite import WHITE, Sprite
from textures import clouds, fractal

OLIVE = Range((50, 110), (0.3, 0.7), (0.25, 0.7))


def apple_core(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    waist, top, bottom = rng.uniform(0.16, 0.3), rng.uniform(0.42, 0.6), rng.uniform(0.34, 0.5)
    outline = profile(
        [
            (-0.7, 0.05),
            (-0.72, top * 0.6),
            (-0.5, top),
            (-0.2, waist * 1.25),
            (0.1, waist),
            (0.4, bottom),
            (0.62, bottom * 0.6),
            (0.6, 0.04),
        ]
    )
    stem = smooth(
        points((0, -0.6), (rng.uniform(-0.08, 0.08), -0.78), (rng.uniform(-0.2, 0.2), -0.97)), closed=False
    )
    sprite.stroke(stem, pick(rng, BROWN, DARK), 0.07)
    flesh = pick(rng, CREAM, CREAM, BROWN)
    sprite.fill(outline, flesh)
    skin = pick(rng, RED, GREEN, YELLOW, OLIVE)
    _caps(rng, sprite, skin)
    sprite.weave(clouds(rng, sprite.alpha.shape, 6), 0.06)
    for x in (-0.06, 0.07):
        seed = turned(ellipse(0, 0, 0.035, 0.08), rng.uniform(-30, 30), x, rng.uniform(-0.1, 0.12))
        sprite.fill(seed, pick(rng, DARK), inside=True)
    _nibble(rng, sprite, outline)
    return sprite


def _caps(rng: np.random.Generator, sprite: Sprite, skin: np.ndarray) -> None:
    upper, lower = rng.uniform(-0.52, -0.36), rng.uniform(0.32, 0.48)
    wave = points((-1, upper), (-0.3, upper - 0.1), (0.1, upper + 0.06), (1, upper - 0.04))
    sprite.fill(np.concatenate([wave, points((1, -1), (-1, -1))]), skin, inside=True)
    wave = points((-1, lower), (-0.2, lower + 0.06), (0.25, lower - 0.05), (1, lower + 0.04))
    sprite.fill(np.concatenate([wave, points((1, 1), (-1, 1))]), near(rng, skin), inside=True)


def _nibble(rng: np.random.Generator, sprite: Sprite, outline: Points) -> None:
    for side in (-1, 1):
        for y in np.arange(-0.25, 0.3, 0.16):
            x = side * (np.interp(y, [-0.3, 0.1, 0.35], [0.36, 0.27, 0.4]) + rng.uniform(-0.02, 0.08))
            sprite.cut(blob(rng, x, y, rng.uniform(0.07, 0.12), 0.15, 6))


def banana_peel(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    outside = pick(rng, YELLOW, YELLOW, BROWN, OLIVE)
    inside = pick(rng, CREAM, PALE, BROWN)
    flaps = int(rng.integers(3, 5))
    spread = rng.uniform(50, 75)
    for i in range(flaps):
        heading = (i - (flaps - 1) / 2) * spread + rng.uniform(-14, 14)
        _flap(rng, sprite, heading, inside if i % 2 else outside, outside)
    stem = smooth(
        points((0, -0.12), (rng.uniform(-0.06, 0.06), -0.4), (rng.uniform(-0.15, 0.15), -0.62)), closed=False
    )
    sprite.fill(strip(stem, np.linspace(0.2, 0.07, len(stem))), outside)
    sprite.stroke(stem[-4:], pick(rng, DARK), 0.12)
    for _ in range(int(rng.integers(4, 16))):
        x, y = rng.uniform(-0.8, 0.8, 2)
        sprite.fill(blob(rng, x, y, rng.uniform(0.02, 0.09)), pick(rng, DARK, BROWN), 0.7, inside=True)
    sprite.weave(clouds(rng, sprite.alpha.shape, 8), 0.06)
    return sprite


def _flap(
    rng: np.random.Generator, sprite: Sprite, heading: float, face: np.ndarray, rim: np.ndarray
) -> None:
    length, bend = rng.uniform(0.75, 1.05), rng.uniform(-0.3, 0.3)
    line = smooth(
        points((0, -0.25), (bend * 0.4, 0.1), (bend, 0.45 * length), (bend * 0.5, 0.9 * length)), closed=False
    )
    shape = np.interp(np.linspace(0, 1, len(line)), [0, 0.25, 0.7, 1], [0.16, 0.22, 0.17, 0.03])
    flap = turned(strip(line, shape * rng.uniform(0.85, 1.2)), -heading)
    sprite.fill(flap, rim)
    sprite.fill(turned(strip(line, shape * 0.72), -heading), face, inside=True)
    sprite.stroke(turned(line, -heading), darker(face, 0.85), 0.03, inside=True)
    sprite.stroke(flap, darker(rim, 0.6), 0.02, 0.6, closed=True)


def leaf(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    colour = pick(rng, GREEN, GREEN, YELLOW, RED, BROWN, OLIVE)
    width, bend = rng.uniform(0.3, 0.52), rng.uniform(-0.25, 0.25)
    t = np.linspace(0, 1, 25)
    spine = np.stack([bend * np.sin(np.pi * t), 0.7 - 1.6 * t], axis=1)
    teeth = 1 + rng.uniform(0, 0.14) * np.where(np.arange(25) % 2, 1, -1)
    widths = width * np.sin(np.pi * t ** rng.uniform(0.65, 1.1)) ** rng.uniform(0.7, 1.1) * teeth
    sprite.stroke(points((spine[0, 0], 0.68), (-bend * 0.5, 0.97)), darker(colour, 0.7), 0.06)
    sprite.fill(strip(spine, widths), colour)
    vein = near(rng, darker(colour, rng.choice([0.65, 1.4])), 6)
    sprite.stroke(spine, vein, 0.035, inside=True)
    for i in range(3, 22, 3):
        for side in (-1, 1):
            end = spine[min(i + 4, 24)] + (side * widths[i] * 1.1, 0)
            sprite.stroke(np.stack([spine[i], end]), vein, 0.018, 0.8, inside=True)
    sprite.weave(fractal(rng, sprite.alpha.shape, 3, 3), rng.uniform(0.05, 0.16))
    if rng.random() < 0.5:
        sprite.fill(
            blob(rng, *rng.uniform(-0.4, 0.4, 2), rng.uniform(0.06, 0.2)),
            pick(rng, BROWN, DARK),
            0.6,
            inside=True,
        )
    return sprite


def egg_shell(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    shell = pick(rng, PALE, PALE, CREAM, BROWN)
    rx, depth = rng.uniform(0.6, 0.8), rng.uniform(0.6, 0.95)
    rim = rng.uniform(0.14, 0.34)
    top = -0.25
    back = np.concatenate([zigzag(rng, -rx, rx, top - rim * 0.9, 0.1, 7), ellipse(0, top, rx, rim, 0, 180)])
    sprite.fill(back, darker(shell, rng.uniform(0.55, 0.8)))
    sprite.weave(clouds(rng, sprite.alpha.shape, 3), 0.08)
    front = zigzag(rng, -rx, rx, 0, 0.09, 7)
    front[:, 1] += top + rim * np.sqrt(np.maximum(0, 1 - (front[:, 0] / rx) ** 2))
    sprite.fill(np.concatenate([front, ellipse(0, top, rx, depth, 0, 180)]), shell)
    sprite.stroke(front, np.minimum(shell * 1.12, 255), 0.045)
    sprite.fill(blob(rng, -rx * 0.4, top + depth * 0.6, 0.14), WHITE, 0.35, inside=True)
    for _ in range(int(rng.integers(0, 20))):
        speck = ellipse(*rng.uniform(-0.6, 0.6, 2), 0.014, 0.014)[::6]
        sprite.fill(speck, darker(shell, 0.6), 0.7, inside=True)
    return sprite


def bread(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    w, h = rng.uniform(0.6, 0.78), rng.uniform(0.6, 0.82)
    lobe = rng.uniform(0.02, 0.16)
    corners = points(
        (-w, -h * 0.55),
        (-w * 0.75, -h),
        (0, -h + lobe),
        (w * 0.75, -h),
        (w, -h * 0.55),
        (w * 0.82, 0),
        (w * 0.85, h * 0.9),
        (0, h),
        (-w * 0.85, h * 0.9),
        (-w * 0.82, 0),
    )
    outline = smooth(corners + rng.normal(0, 0.02, corners.shape))
    sprite.fill(outline, pick(rng, BROWN))
    crumb = pick(rng, CREAM, CREAM, PALE, BROWN)
    sprite.fill(outline * rng.uniform(0.84, 0.93), crumb)
    for _ in range(int(rng.integers(25, 70))):
        pore = blob(rng, *rng.uniform(-0.6, 0.6, 2), rng.uniform(0.012, 0.05), 0.3, 6)[::4]
        sprite.fill(pore, darker(crumb, rng.uniform(0.72, 0.9)), 0.8, inside=True)
    sprite.weave(fractal(rng, sprite.alpha.shape, 8, 3), 0.05)
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.choice([-1, 1]) * w, rng.uniform(-0.5, 0.5)
        sprite.cut(blob(rng, x, y, rng.uniform(0.15, 0.3), 0.15, 9))
    return sprite


ITEMS = (apple_core, banana_peel, leaf, egg_shell, bread)
