"""Things for recycling: each function draws one from a generator and a size in pixels."""

import numpy as np
from outlines import box, ellipse, points, profile, rounded, turned
from palette import ANY, BLUE, BROWN, CREAM, DARK, GREEN, GREY, PALE, VIVID, Range, darker, near, pick
from sprite import WHITE, Sprite
from textures import clouds, fractal, slope

AMBER = Range((20, 40), (0.5, 0.85), (0.25, 0.6))


def bottle(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    tint = pick(rng, BLUE, PALE, GREEN, AMBER, GREY)
    w, neck, shoulder = rng.uniform(0.24, 0.36), rng.uniform(0.08, 0.13), rng.uniform(-0.45, -0.15)
    waist = w * rng.uniform(0.82, 1.0)
    body = profile(
        [
            (-0.84, neck),
            (-0.72, neck),
            (shoulder, w),
            (0.05, waist),
            (0.35, w),
            (0.88, w),
            (0.95, w * 0.8),
            (0.96, 0.02),
        ],
        8,
    )
    sprite.fill(body, tint, rng.uniform(0.6, 0.95))
    for y in np.arange(shoulder + 0.1, 0.85, rng.uniform(0.1, 0.2)):
        sprite.stroke(ellipse(0, y - 0.04, w, 0.05, 0, 180), darker(tint, 0.75), 0.018, 0.6, inside=True)
    if rng.random() < 0.75:
        _label(rng, sprite, rng.uniform(-0.15, 0.1), rng.uniform(0.25, 0.5))
    sprite.barrel(w, 0.35, rng.uniform(0.2, 0.7), rng.uniform(-0.6, -0.2))
    sprite.stroke(body, darker(tint, 0.5), 0.02, 0.7, closed=True)
    sprite.fill(
        points((w * 0.5, shoulder), (w * 0.62, shoulder), (w * 0.6, 0.8), (w * 0.5, 0.8)),
        WHITE,
        0.3,
        inside=True,
    )
    cap = pick(rng, VIVID, BLUE, PALE, DARK)
    sprite.fill(rounded(-neck * 1.3, -0.97, neck * 1.3, -0.8, 0.04), cap)
    return sprite


def _label(rng: np.random.Generator, sprite: Sprite, top: float, height: float) -> None:
    colour = pick(rng, VIVID, PALE, ANY)
    sprite.fill(box(-1, top, 1, top + height), colour, 0.95, inside=True)
    other = pick(rng, VIVID, DARK, PALE)
    if rng.random() < 0.5:
        sprite.fill(box(-1, top + height * 0.35, 1, top + height * 0.65), other, inside=True)
    else:
        sprite.fill(ellipse(0, top + height / 2, 0.16, height * 0.3), other, inside=True)


def can(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    colour = pick(rng, VIVID, ANY, GREY, PALE)
    metal = pick(rng, Range((200, 240), (0, 0.06), (0.6, 0.9)))
    w, rim, h = rng.uniform(0.42, 0.56), rng.uniform(0.1, 0.2), rng.uniform(0.62, 0.8)
    body = np.concatenate([ellipse(0, -h, w, rim, 180, 0)[::4], ellipse(0, h, w, rim, 0, 180)])
    sprite.fill(body, colour)
    slant = rng.uniform(-0.3, 0.3)
    sprite.fill(
        points((-1, slant), (1, -slant), (1, rng.uniform(0.1, 0.5)), (-1, rng.uniform(0.1, 0.6))),
        pick(rng, VIVID, PALE, DARK),
        inside=True,
    )
    sprite.fill(
        ellipse(rng.uniform(-0.1, 0.1), rng.uniform(-0.4, 0.2), w * 0.5, 0.16), pick(rng, ANY), inside=True
    )
    sprite.stroke(ellipse(0, h - 0.05, w, rim, 0, 180), metal, 0.08, inside=True)
    sprite.barrel(w, 0.45, rng.uniform(0.2, 0.6))
    if rng.random() < 0.5:
        sprite.weave(slope(clouds(rng, sprite.alpha.shape, 4), 0), 0.09)
    sprite.fill(ellipse(0, -h, w, rim), metal)
    sprite.stroke(ellipse(0, -h, w * 0.9, rim * 0.85), darker(metal, 0.6), 0.03, closed=True)
    sprite.fill(ellipse(0, -h + rim * 0.25, w * 0.25, rim * 0.45), darker(metal, rng.uniform(0.3, 0.8)))
    return sprite


def cardboard(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    brown = pick(rng, BROWN, BROWN, CREAM, GREY)
    a, b, h = rng.uniform(0.55, 0.8), rng.uniform(0.35, 0.75), rng.uniform(0.35, 0.6)
    near_, left, right = np.array((0.0, 0.35)), np.array((-a, 0.05)), np.array((b, 0.0))
    far, down = left + right - near_, np.array((0, h))
    sprite.fill(np.stack([left, near_, near_ + down, left + down]), darker(brown, 0.85))
    sprite.fill(np.stack([near_, right, right + down, near_ + down]), darker(brown, 0.65))
    sprite.fill(np.stack([left, near_, right, far]), darker(brown, 0.4 if rng.random() < 0.6 else 1.05))
    _flaps(rng, sprite, brown, [left, near_, right, far])
    if rng.random() < 0.7:
        middle = (left + near_) / 2
        upper = np.stack([middle - (0.06, 0), middle + np.array((0.06, 0.03))])
        tape = np.concatenate([upper, upper[::-1] + down])
        sprite.fill(tape, pick(rng, CREAM, PALE, BROWN), 0.8, inside=True)
    mark = rounded(-0.1, -0.07, 0.1, 0.07, 0.02) + (near_ + right) / 2 + (0, h * 0.5)
    sprite.fill(mark, pick(rng, DARK, VIVID, PALE), inside=True)
    sprite.weave(fractal(rng, sprite.alpha.shape, 6, 3), 0.05)
    return sprite


def _flaps(rng: np.random.Generator, sprite: Sprite, brown: np.ndarray, rim: list[np.ndarray]) -> None:
    """The box's open lids: each leans out from one edge of its rim."""
    outward = [(-0.22, 0.1), (0.2, 0.12), (0.12, -0.22), (-0.12, -0.25)]
    for i in (3, 2, 1, 0):
        if rng.random() < 0.35:
            continue
        lean = np.array(outward[i]) * rng.uniform(0.5, 1.3)
        start, end = rim[i], rim[(i + 1) % 4]
        flap = np.stack([start, end, end + lean * 0.95, start + lean])
        sprite.fill(flap, near(rng, darker(brown, rng.uniform(0.85, 1.15)), 4))
        sprite.stroke(flap, darker(brown, 0.5), 0.02, 0.7, closed=True)


def newspaper(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    paper = pick(rng, PALE, CREAM, GREY)
    ink = pick(rng, DARK)
    w, h = rng.uniform(0.55, 0.72), rng.uniform(0.7, 0.85)
    under = turned(box(-w, -h, w, h), rng.uniform(-9, 9), *rng.uniform(-0.06, 0.06, 2))
    sprite.fill(under, darker(paper, 0.8))
    sprite.fill(box(-w, -h, w, h), paper)
    sprite.fill(box(-w * 0.85, -h * 0.92, w * rng.uniform(0.3, 0.85), -h * 0.75), ink)
    columns = int(rng.integers(2, 4))
    picture = int(rng.integers(columns))
    for column in range(columns):
        left = -w * 0.88 + column * 1.76 * w / columns
        _column(rng, sprite, ink, (left, left + 1.55 * w / columns), h, column == picture)
    if rng.random() < 0.7:
        sprite.fill(box(-1, -0.03, 1, 0.02), darker(paper, 0.75), 0.7, inside=True)
    sprite.weave(slope(clouds(rng, sprite.alpha.shape, 3), rng.uniform(0, 360)), rng.uniform(0.03, 0.09))
    return sprite


def _column(
    rng: np.random.Generator,
    sprite: Sprite,
    ink: np.ndarray,
    sides: tuple[float, float],
    h: float,
    picture: bool,
) -> None:
    start = -h * 0.6
    if picture:
        end = start + rng.uniform(0.35, 0.7)
        sprite.fill(box(sides[0], start, sides[1], end), pick(rng, ANY, GREY))
        sprite.fill(ellipse(sum(sides) / 2, (start + end) / 2, 0.1, 0.14), pick(rng, ANY, DARK))
        start = end + 0.1
    for y in np.arange(start, h * 0.92, 0.1):
        stop = sides[1] - (rng.uniform(0, 0.2) if rng.random() < 0.3 else 0)
        sprite.stroke(points((sides[0], y), (stop, y)), ink, 0.04, rng.uniform(0.55, 0.8))


def jar(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    tint = pick(rng, PALE, GREEN, BLUE, AMBER, GREY)
    w, h = rng.uniform(0.46, 0.62), rng.uniform(0.62, 0.85)
    neck = w * rng.uniform(0.75, 0.92)
    body = profile(
        [(-h + 0.1, neck), (-h + 0.22, neck), (-h + 0.4, w), (h - 0.25, w), (h - 0.03, w * 0.9), (h, 0.02)], 8
    )
    sprite.fill(body, tint, rng.uniform(0.55, 0.9))
    if rng.random() < 0.5:
        sprite.fill(box(-1, rng.uniform(-0.1, 0.5), 1, 1), pick(rng, ANY), 0.6, inside=True)
    if rng.random() < 0.75:
        _label(rng, sprite, rng.uniform(-0.3, 0), rng.uniform(0.35, 0.6))
    sprite.barrel(w, 0.35, rng.uniform(0.2, 0.6), rng.uniform(-0.7, -0.3))
    sprite.stroke(body, darker(tint, 0.5), 0.03, 0.8, closed=True)
    sprite.fill(
        points((w * 0.6, -h + 0.4), (w * 0.75, -h + 0.4), (w * 0.75, h - 0.2), (w * 0.6, h - 0.2)),
        WHITE,
        0.35,
        inside=True,
    )
    lid = pick(rng, VIVID, GREY, CREAM)
    sprite.fill(rounded(-neck * 1.1, -h - 0.1, neck * 1.1, -h + 0.14, 0.05), lid)
    for x in np.arange(-neck, neck, 0.09):
        sprite.stroke(points((x, -h - 0.04), (x, -h + 0.12)), darker(lid, 0.75), 0.02, inside=True)
    return sprite


ITEMS = (bottle, can, cardboard, newspaper, jar)
