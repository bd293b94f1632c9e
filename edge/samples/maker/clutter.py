"""Things that are no trash (the detector must leave them alone) and things that stand in the way."""

import numpy as np
from outlines import blob, box, ellipse, moved, points, profile, rounded, smooth, strip, turned
from palette import ANY, CREAM, DARK, GREY, PALE, SKIN, VIVID, darker, near, pick
from sprite import WHITE, Sprite
from textures import clouds, fractal


def plate(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    colour, squash = pick(rng, PALE, ANY), rng.uniform(0.45, 1)
    for radius, shade in ((0.95, 1.0), (0.9, 0.93), (0.62, 0.82), (0.58, 1.0)):
        sprite.fill(ellipse(0, 0, radius, radius * squash), darker(colour, shade))
    return sprite


def phone(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    w = rng.uniform(0.42, 0.52)
    sprite.fill(rounded(-w, -0.92, w, 0.92, 0.12), pick(rng, DARK, GREY))
    sprite.fill(rounded(-w + 0.05, -0.85, w - 0.05, 0.85, 0.06), pick(rng, DARK, DARK, ANY))
    sprite.fill(points((-w, -0.85), (w * 0.4, -0.85), (-w * 0.6, 0.85), (-w, 0.85)), WHITE, 0.1, inside=True)
    return sprite


def pen(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    w, colour = rng.uniform(0.05, 0.09), pick(rng, VIVID, DARK, PALE)
    sprite.fill(box(-w, -0.9, w, 0.7), colour)
    sprite.fill(points((-w, 0.7), (w, 0.7), (0, 0.97)), pick(rng, GREY, CREAM))
    sprite.fill(box(-w, -0.95, w, -0.6), near(rng, darker(colour, 0.6)))
    sprite.barrel(w, 0.3, 0.3)
    return sprite


def coin(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    colour = pick(rng, GREY, CREAM)
    sprite.fill(ellipse(0, 0, 0.9, 0.9), colour)
    sprite.stroke(ellipse(0, 0, 0.8, 0.8), darker(colour, 0.7), 0.06, closed=True)
    sprite.fill(blob(rng, 0, 0, 0.45), darker(colour, 0.8))
    sprite.relief(rng.uniform(0, 360), 0.4)
    return sprite


def key(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    colour = pick(rng, GREY, CREAM)
    sprite.stroke(ellipse(0, -0.6, 0.26, 0.26), colour, 0.17, closed=True)
    sprite.fill(box(-0.07, -0.35, 0.07, 0.9), colour)
    for y in rng.uniform(0.4, 0.85, 3):
        sprite.fill(box(0, y, 0.25, y + 0.1), colour)
    sprite.relief(220, 0.4)
    return sprite


def ball(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    sprite.fill(ellipse(0, 0, 0.9, 0.9), pick(rng, ANY))
    if rng.random() < 0.6:
        sprite.fill(turned(box(-1, -0.2, 1, 0.2), rng.uniform(0, 180)), pick(rng, ANY, PALE), inside=True)
    sprite.relief(230, 0.5, 0.5)
    return sprite


def pebble(rng: np.random.Generator, size: int) -> Sprite:
    """Any lump of any colour: what is round and shaded need not be trash."""
    sprite = Sprite(size)
    sprite.fill(blob(rng, 0, 0, 0.72, rng.uniform(0.1, 0.35), int(rng.integers(5, 11))), pick(rng, ANY, GREY))
    sprite.weave(fractal(rng, sprite.alpha.shape, rng.uniform(3, 12)), rng.uniform(0.02, 0.25))
    sprite.relief(rng.uniform(0, 360), rng.uniform(0.1, 0.5), rng.uniform(0.05, 0.4))
    return sprite


def slab(rng: np.random.Generator, size: int) -> Sprite:
    """A flat board, a screen, a cushion: a rectangle with nothing to read on it."""
    sprite = Sprite(size)
    w, h = rng.uniform(0.3, 0.95, 2)
    sprite.fill(rounded(-w, -h, w, h, rng.uniform(0.01, 0.2)), pick(rng, ANY, GREY, DARK))
    if rng.random() < 0.5:
        inner = rng.uniform(0.6, 0.95)
        sprite.fill(box(-w * inner, -h * inner, w * inner, h * inner), pick(rng, ANY, DARK, PALE))
    sprite.weave(clouds(rng, sprite.alpha.shape, 3), rng.uniform(0, 0.12))
    return sprite


def hand(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    skin = pick(rng, SKIN)
    sleeve = rng.uniform(0.25, 0.34)
    sprite.fill(box(-sleeve, 0.7, sleeve, 1.0), pick(rng, ANY, DARK))
    sprite.fill(
        smooth(points((-0.3, -0.05), (0.3, -0.05), (0.34, 0.35), (0.2, 0.75), (-0.2, 0.75), (-0.36, 0.3))),
        skin,
    )
    for x, reach in ((-0.25, -0.55), (-0.08, -0.75), (0.1, -0.7), (0.26, -0.45)):
        bend = rng.uniform(-0.12, 0.12)
        line = smooth(points((x, 0.1), (x * 1.1, -0.25), (x * 1.2 + bend, reach)), closed=False)
        sprite.stroke(line, near(rng, skin, 3), 0.17)
        sprite.stroke(moved(line, 0.085, 0), darker(skin, 0.7), 0.02, 0.6, inside=True)
    sprite.stroke(points((0.25, 0.4), (0.48, 0.15), (0.55, -0.08)), skin, 0.18)
    sprite.relief(220, 0.3, 0.08)
    return sprite


def person(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    skin, top, legs, hair = (
        pick(rng, SKIN),
        pick(rng, ANY, DARK, GREY),
        pick(rng, DARK, ANY),
        pick(rng, DARK, CREAM),
    )
    w = rng.uniform(0.2, 0.3)
    for side in (-1, 1):
        stance = side * rng.uniform(0.06, 0.2)
        sprite.stroke(points((side * 0.1, 0.1), (stance, 0.55), (stance, 0.97)), legs, 0.19)
        elbow = side * (w + rng.uniform(0.02, 0.2))
        arm = points(
            (side * w * 0.85, -0.45), (elbow, -0.1), (side * rng.uniform(0.1, 0.5), rng.uniform(-0.2, 0.25))
        )
        sprite.stroke(arm, darker(top, 0.9), 0.13)
        sprite.fill(ellipse(*arm[-1], 0.07, 0.07), skin)
    sprite.fill(
        smooth(
            points(
                (-w, -0.52),
                (w, -0.52),
                (w * 0.85, -0.1),
                (w * 0.9, 0.25),
                (-w * 0.9, 0.25),
                (-w * 0.85, -0.1),
            )
        ),
        top,
    )
    sprite.fill(box(-0.06, -0.62, 0.06, -0.48), darker(skin, 0.85))
    sprite.fill(ellipse(0, -0.75, 0.13, 0.17), skin)
    sprite.fill(ellipse(0, -0.8, 0.15, rng.uniform(0.12, 0.3), 180, 360), hair)
    sprite.weave(fractal(rng, sprite.alpha.shape, 5), 0.08)
    return sprite


def lamp(rng: np.random.Generator, size: int) -> Sprite:
    """A table, a lamp, a stand: a top on a pole with feet."""
    sprite = Sprite(size)
    metal = pick(rng, GREY, DARK, CREAM)
    sprite.fill(box(-0.05, -0.6, 0.05, 0.9), metal)
    for reach in rng.uniform(-0.5, 0.5, 3):
        sprite.stroke(points((0, 0.75), (reach, 0.95)), metal, 0.07)
    shade = pick(rng, PALE, ANY)
    top = ellipse(0, -0.65, rng.uniform(0.4, 0.9), rng.uniform(0.1, 0.3))
    sprite.fill(top if rng.random() < 0.5 else profile([(-0.95, 0.2), (-0.45, 0.55), (-0.4, 0.02)]), shade)
    return sprite


def cable(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    line = smooth(rng.uniform(-0.9, 0.9, (int(rng.integers(3, 6)), 2)), closed=False)
    sprite.stroke(line, pick(rng, DARK, GREY, VIVID), rng.uniform(0.03, 0.1))
    sprite.relief(230, 0.3, 0.03)
    return sprite


THINGS = (plate, phone, pen, coin, key, ball, pebble, slab, hand, person, lamp, cable)


def card(rng: np.random.Generator, size: int) -> Sprite:
    """An opaque piece with straight edges."""
    sprite = Sprite(size)
    angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 6))))
    sprite.fill(np.stack([np.cos(angles), np.sin(angles)], axis=1) * 0.95, pick(rng, ANY, GREY, DARK))
    sprite.weave(clouds(rng, sprite.alpha.shape, 3), 0.12)
    return sprite


def bar(rng: np.random.Generator, size: int) -> Sprite:
    sprite = Sprite(size)
    w = rng.uniform(0.08, 0.22)
    sprite.fill(box(-w, -1, w, 1), pick(rng, ANY, GREY, DARK))
    sprite.barrel(w, 0.3)
    return sprite


def twig(rng: np.random.Generator, size: int) -> Sprite:
    """Thin crossing branches; in front of held-out pictures only."""
    sprite = Sprite(size)
    colour = pick(rng, DARK, ANY)
    for _ in range(int(rng.integers(2, 5))):
        line = smooth(rng.uniform(-1, 1, (3, 2)) * (1, 1.2), closed=False)
        sprite.fill(strip(line, np.linspace(0.07, 0.015, len(line))), near(rng, colour))
    return sprite


def rag(rng: np.random.Generator, size: int) -> Sprite:
    """A soft lump with folds; in front of held-out pictures only."""
    sprite = Sprite(size)
    sprite.fill(blob(rng, 0, 0, 0.75, 0.3, 9), pick(rng, ANY, GREY))
    sprite.weave(clouds(rng, sprite.alpha.shape, 6, 3), 0.15)
    sprite.relief(rng.uniform(0, 360), 0.3, 0.2)
    return sprite


TRAINED_OCCLUDERS = (card, bar, cable, ball)
HELD_OUT_OCCLUDERS = (twig, rag)
