"""Things that stand or lie about the track: none of them is track, also where it stands on it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import track_eye
from numpy.typing import NDArray
from palette import ANY, DARK, GREY, PALE, VIVID, Colour, darker, pick
from surfaces import Surface
from track_course import Course
from track_eye import Eye

OFF = 0
Mask = NDArray[np.uint8]
Corners = list[tuple[float, float]]
FIXED = 4  # fractional bits of cv2's drawing coordinates


class Thing(NamedTuple):
    """Where it stands (metres), its width and height, its two colours, what draws it."""

    x: float
    y: float
    width: float
    height: float
    colours: tuple[Colour, Colour]
    form: Callable[[Surface, Mask, "Thing", "Frame"], None]

    def draw(self, canvas: Surface, kinds: Mask, eye: Eye) -> None:
        frame = framed(self, eye, (canvas.shape[0], canvas.shape[1]))
        _shadow(canvas, frame)
        self.form(canvas, kinds, self, frame)


class Frame(NamedTuple):
    """Where a thing is in the picture, in pixels: middle, foot, half its width, and its height."""

    x: float
    foot: float
    half: float
    height: float


def strewn(
    rng: np.random.Generator, course: Course, forms: Sequence[Callable[..., None]]
) -> tuple[Thing, ...]:
    """Some things about the track, one in ten on it."""
    things = []
    for _ in range(int(rng.integers(0, 3) * len(course.line) // 120)):
        x, y, heading = course.at(int(rng.integers(len(course.line))))
        beside = course.width / 2 + rng.uniform(0.08, 0.6)
        aside = rng.uniform(-0.4, 0.4) * course.width if rng.random() < 0.1 else beside * rng.choice([-1, 1])
        things.append(
            Thing(
                x - np.sin(heading) * aside,
                y + np.cos(heading) * aside,
                rng.uniform(0.06, 0.25),
                rng.uniform(0.06, 0.4),
                (pick(rng, ANY, GREY, VIVID, PALE), pick(rng, DARK, PALE, ANY)),
                forms[int(rng.integers(len(forms)))],
            )
        )
    return tuple(things)


def far_to_near(things: Sequence[Thing], eye: Eye, size: tuple[int, int]) -> list[Thing]:
    """Those before the eye and within six metres, the farthest first."""
    depths = [(track_eye.seen_at(eye, thing.x, thing.y, 0, size)[2], thing) for thing in things]
    seen = [(depth, thing) for depth, thing in depths if 0.25 < depth < 6]
    return [thing for _, thing in sorted(seen, key=lambda each: -each[0])]


def framed(thing: Thing, eye: Eye, size: tuple[int, int]) -> Frame:
    x, foot, depth = track_eye.seen_at(eye, thing.x, thing.y, 0, size)
    top = track_eye.seen_at(eye, thing.x, thing.y, thing.height, size)[1]
    return Frame(x, foot, thing.width / 2 * eye.focal(size[1]) / depth, max(1.0, foot - top))


def cone(canvas: Surface, kinds: Mask, thing: Thing, at: Frame) -> None:
    x, foot, half, height = at
    _fill(canvas, kinds, [(x - half, foot), (x + half, foot), (x + half, foot - 0.08 * height),
                          (x - half, foot - 0.08 * height)], darker(thing.colours[0], 0.7))  # fmt: skip
    _fill(canvas, kinds, [(x - 0.7 * half, foot), (x + 0.7 * half, foot), (x + 0.12 * half, foot - height),
                          (x - 0.12 * half, foot - height)], thing.colours[0])  # fmt: skip
    _fill(canvas, kinds, [(x - 0.5 * half, foot - 0.35 * height), (x + 0.5 * half, foot - 0.35 * height),
                          (x + 0.33 * half, foot - 0.65 * height), (x - 0.33 * half, foot - 0.65 * height)],
          thing.colours[1])  # fmt: skip


def crate(canvas: Surface, kinds: Mask, thing: Thing, at: Frame) -> None:
    """A box that shows two of its sides."""
    x, foot, half, height = at
    ridge = x + half * 0.3
    _fill(canvas, kinds, [(x - half, foot), (ridge, foot), (ridge, foot - height), (x - half, foot - height)],
          thing.colours[0])  # fmt: skip
    _fill(canvas, kinds, [(ridge, foot), (x + half, foot - 0.06 * height), (x + half, foot - height),
                          (ridge, foot - height)], darker(thing.colours[0], 0.65))  # fmt: skip


def ball(canvas: Surface, kinds: Mask, thing: Thing, at: Frame) -> None:
    for share, up, colour in ((1.0, 1.0, darker(thing.colours[0], 0.7)), (0.78, 1.12, thing.colours[0])):
        angle = np.linspace(0, 2 * np.pi, 25)[:-1]
        round_ = zip(
            at.x + share * at.half * np.cos(angle),
            at.foot - up * at.half + share * at.half * np.sin(angle),
            strict=True,
        )
        _fill(canvas, kinds, [(float(x), float(y)) for x, y in round_], colour)


def post(canvas: Surface, kinds: Mask, thing: Thing, at: Frame) -> None:
    """A round bin or bollard with a band, darker to one side."""
    x, foot, half, height = at
    for left, right, tone in ((-1.0, 1.0, 0.6), (-0.9, 0.6, 0.85), (-0.6, 0.2, 1.05)):
        sides = [(x + left * half, foot), (x + right * half, foot), (x + right * half, foot - height),
                 (x + left * half, foot - height)]  # fmt: skip
        _fill(canvas, kinds, sides, darker(thing.colours[0], tone))
    _fill(canvas, kinds, [(x - half, foot - 0.7 * height), (x + half, foot - 0.7 * height),
                          (x + half, foot - 0.85 * height), (x - half, foot - 0.85 * height)],
          thing.colours[1])  # fmt: skip


def tyres(canvas: Surface, kinds: Mask, thing: Thing, at: Frame) -> None:
    """A pile of rings."""
    for number in range(3):
        low, high = at.foot - number * at.height / 3, at.foot - (number + 0.86) * at.height / 3
        tone = thing.colours[number % 2]
        sides = [(at.x - at.half, low), (at.x + at.half, low), (at.x + 0.93 * at.half, high),
                 (at.x - 0.93 * at.half, high)]  # fmt: skip
        _fill(canvas, kinds, sides, tone)
        _fill(canvas, kinds, [(at.x - at.half, low), (at.x + at.half, low), (at.x + at.half, low - 1),
                              (at.x - at.half, low - 1)], darker(tone, 0.5))  # fmt: skip


def shoe(canvas: Surface, kinds: Mask, thing: Thing, at: Frame) -> None:
    x, foot, half, height = at
    shape = [(-1.0, 0.0), (1.0, 0.0), (1.0, 0.35), (0.45, 0.5), (0.05, 1.0), (-0.95, 1.0)]
    low = min(height, 1.2 * half)
    _fill(canvas, kinds, [(x + u * half, foot - v * low) for u, v in shape], thing.colours[0])
    _fill(canvas, kinds, [(x + u * half, foot - v * low) for u, v in
                          ((-1.0, 0.0), (1.0, 0.0), (1.0, 0.14), (-1.0, 0.14))], thing.colours[1])  # fmt: skip


TRAINED = (cone, crate, ball)
HELD_OUT = (post, tyres, shoe)


def _fill(canvas: Surface, kinds: Mask, corners: Corners, colour: Colour) -> None:
    fixed = np.round(np.array(corners) * 2**FIXED).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], colour.tolist(), cv2.LINE_8, FIXED)
    cv2.fillPoly(kinds, [fixed], OFF, cv2.LINE_8, FIXED)


def _shadow(canvas: Surface, at: Frame) -> None:
    """Darker where it stands: a flat ellipse, seen along the ground."""
    height, width = canvas.shape[:2]
    low = max(2.0, 0.3 * at.half)
    left, right = (int(np.clip(at.x + side * 1.3 * at.half, 0, width)) for side in (-1, 1))
    top, bottom = (int(np.clip(at.foot + side * low, 0, height)) for side in (-1, 1))
    if left >= right or top >= bottom:
        return
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    away = ((x - at.x) / (1.3 * at.half)) ** 2 + ((y - at.foot) / low) ** 2
    canvas[top:bottom, left:right] *= (1 - 0.45 * np.clip(1 - away, 0, 1))[..., None]
