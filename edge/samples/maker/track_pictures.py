"""What the racer sees, and what each pixel of it is: off the track, track, or line. NumPy and cv2 only."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import optics
import track_course
import track_eye
import track_looks
import track_things
from numpy.typing import NDArray
from optics import Light, Picture
from surfaces import Surface
from track_course import Course, Line
from track_eye import Eye, Field, Rays
from track_looks import Look, Style
from track_things import Thing

LABELS = ("off-track", "track", "line")
OFF, TRACK, LINE = range(3)
SIZE = (160, 120)  # width, height
FINE = 3  # a pixel is the mean of this many times as many, each way
HORIZON = 15  # metres: the ground farther away is drawn as it is there
EACH = 12  # pictures from one track, one look after another
Mask = NDArray[np.uint8]


class Split(NamedTuple):
    """A seed, and what the pictures of a set are drawn from."""

    seed: int
    shapes: tuple[Callable[[np.random.Generator], Line], ...]
    style: Style
    things: tuple[Callable[..., None], ...]
    light: Light
    astray: float  # the share of eyes that stand or look elsewhere than along the road


TRAINING = Split(
    20260301,
    (track_course.waves,),
    track_looks.TRAINED,
    track_things.TRAINED,
    optics.TRAINED._replace(gain=0.2),
    0.12,
)
# Taught last: roads of stones, louder floors.
ROUGH = TRAINING._replace(seed=20260302, style=track_looks.ROUGH)
HELD_OUT = Split(
    88011,
    (track_course.corners,),
    track_looks.HELD_OUT,
    track_things.HELD_OUT,
    optics.HELD_OUT._replace(gain=0.2),
    0.04,
)
# What it was not made for: roads as pale and loud as the floors, and eyes as often astray as in the training.
HARD = HELD_OUT._replace(seed=88012, style=track_looks.HARD, astray=TRAINING.astray)


class Shown(NamedTuple):
    """A picture (120, 160, 3) BGR and what its pixels are (120, 160), numbers of LABELS."""

    picture: Picture
    mask: Mask


class Scene(NamedTuple):
    """Everything but the eye. room: x1, y1, x2, y2 of the walls, or None."""

    course: Course
    look: Look
    things: tuple[Thing, ...]
    room: tuple[float, float, float, float] | None


_courses: dict[tuple[int, int], Course] = {}


def picture(split: Split, index: int) -> Shown:
    """The picture of a number: told by the split's seed and the number alone."""
    course = _course(split, index // EACH)
    rng = np.random.default_rng([split.seed, 1, index])
    scene = staged(rng, split, course)
    eye = looking(rng, scene.course, split.astray)
    colours, mask = rendered(scene, eye, SIZE)
    return Shown(optics.photographed(rng, colours, split.light), mask)


def _course(split: Split, number: int) -> Course:
    """The track of a dozen pictures; only the last few are kept."""
    key = (split.seed, number)
    if key not in _courses:
        if len(_courses) > 3:
            _courses.clear()
        rng = np.random.default_rng([split.seed, 0, number])
        shape = split.shapes[int(rng.integers(len(split.shapes)))]
        _courses[key] = track_course.course(rng, rng.uniform(0.55, 1.1), shape)
    return _courses[key]


def staged(rng: np.random.Generator, split: Split, course: Course) -> Scene:
    look = track_looks.look(rng, split.style)
    x1, y1, x2, y2 = course.bounds
    away = course.width / 2 + rng.uniform(0.3, 1.5, 4)
    room = (x1 - away[0], y1 - away[1], x2 + away[2], y2 + away[3]) if rng.random() < 0.8 else None
    return Scene(course, look, track_things.strewn(rng, course, split.things), room)


def looking(rng: np.random.Generator, course: Course, astray: float) -> Eye:
    """An eye near the middle of the road that looks along it; a share `astray` of them stand or look elsewhere."""
    x, y, heading = course.at(int(rng.integers(len(course.line))))
    lost = rng.random() < astray
    aside = rng.uniform(-0.75, 0.75) if lost else float(np.clip(rng.normal(0, 0.2), -0.6, 0.6))
    turn = rng.uniform(-1.2, 1.2) if lost else rng.normal(0, 0.28)
    if rng.random() < 0.3:
        heading += np.pi
    return Eye(
        x - float(np.sin(heading)) * aside * course.width,
        y + float(np.cos(heading)) * aside * course.width,
        heading + turn,
        track_eye.HEIGHT + rng.uniform(-0.015, 0.015),
        track_eye.PITCH + rng.uniform(-0.035, 0.035),
        rng.normal(0, 0.02),
        track_eye.FIELD + rng.uniform(-0.08, 0.08),
    )


def rendered(scene: Scene, eye: Eye, size: tuple[int, int], fine: int = FINE) -> tuple[Surface, Mask]:
    """Colours (h, w, 3) before light and camera, and the mask (h, w), of a picture of `size` (width, height)."""
    large = (size[1] * fine, size[0] * fine)
    rays = track_eye.rays(eye, large)
    ground = track_eye.to_ground(eye, rays)
    walls = track_eye.to_walls(eye, rays, scene.room) if scene.room else np.full(large, np.inf, np.float32)
    canvas = cv2.resize(scene.look.back, large[::-1])
    kinds = np.zeros(large, np.uint8)
    _paint_ground(canvas, kinds, scene, eye, rays, np.minimum(ground, HORIZON))
    _paint_walls(canvas, kinds, scene, eye, rays, np.where(walls < ground, walls, np.inf))
    for thing in track_things.far_to_near(scene.things, eye, large):
        thing.draw(canvas, kinds, eye)
    return cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), _most(kinds, size)


def _paint_ground(canvas: Surface, kinds: Mask, scene: Scene, eye: Eye, rays: Rays, steps: Field) -> None:
    """Everything below the horizon."""
    rows = np.flatnonzero((rays.down > 1e-4).any(axis=1))
    if not len(rows):
        return
    below = slice(int(rows[0]), canvas.shape[0])
    rays, steps = Rays(*(field[below] for field in rays)), steps[below]
    x, y = eye.x + steps * rays.x, eye.y + steps * rays.y
    footprint = steps / eye.focal(canvas.shape[1]) * np.maximum(1, 0.3 / np.maximum(rays.down, 1e-3))
    offset, dash = _fields(scene.course, x, y)
    kind = _kinds(scene, offset, dash)
    look = scene.look
    road, floor = (track_looks.painted(each, x, y, footprint) for each in (look.road, look.floor))
    colours = np.where((kind == OFF)[..., None], floor, road)
    _paint_lines(colours, kind, offset, look, x, y)
    colours *= track_looks.shade(look.grime, x, y)[..., None]
    hit = rays.down > 1e-4
    canvas[below][hit], kinds[below][hit] = colours[hit], kind[hit]


def _fields(course: Course, x: Field, y: Field) -> tuple[Field, Field]:
    columns = ((x - course.origin[0]) / track_course.CELL).astype(np.float32)
    rows = ((y - course.origin[1]) / track_course.CELL).astype(np.float32)
    outside = {"borderMode": cv2.BORDER_CONSTANT, "borderValue": track_course.FAR}
    return (
        cv2.remap(course.offset, columns, rows, cv2.INTER_LINEAR, **outside),
        cv2.remap(course.dash, columns, rows, cv2.INTER_LINEAR, **outside),
    )


def _kinds(scene: Scene, offset: Field, dash: Field) -> Mask:
    lines, half = scene.look.lines, scene.course.width / 2
    away = np.abs(offset)
    kind = np.where(away < half, TRACK, OFF).astype(np.uint8)
    kind[(away < half) & (away > half - lines.border)] = LINE
    painted = dash > np.cos(np.pi * lines.on) if lines.on < 1 else True
    kind[(away < lines.centre / 2) & painted] = LINE
    return kind


def _paint_lines(colours: Surface, kind: Mask, offset: Field, look: Look, x: Field, y: Field) -> None:
    """Worn lines let the road through."""
    lines = look.lines
    on = kind == LINE
    middle = on & (np.abs(offset) < lines.centre / 2)
    wear = np.clip(0.5 + 2.5 * (track_looks.shade(look.grime[::-1], x * 4, y * 4) - 1), 0, 1) * lines.wear
    for where, colour in ((on & ~middle, lines.border_colour), (middle, lines.centre_colour)):
        through = wear[where][:, None]
        colours[where] = colours[where] * through + colour * (1 - through)


def _paint_walls(canvas: Surface, kinds: Mask, scene: Scene, eye: Eye, rays: Rays, steps: Field) -> None:
    hit = np.isfinite(steps)
    if not hit.any():
        return
    step = np.where(hit, steps, 0)
    z = eye.height - step * rays.down
    hit &= z < scene.look.wall_height
    u = eye.x + step * rays.x + eye.y + step * rays.y
    scale = scene.look.wall.shape[0] / scene.look.wall_height
    painted = cv2.remap(
        scene.look.wall,
        (u * scale * 0.5).astype(np.float32),
        ((scene.look.wall_height - z) * scale).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    canvas[hit], kinds[hit] = painted[hit], OFF


def _most(kinds: Mask, size: tuple[int, int]) -> Mask:
    """Of each pixel the kind that covers most of it."""
    shares = [
        cv2.resize((kinds == kind).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        for kind in range(len(LABELS))
    ]
    return np.argmax(shares, axis=0).astype(np.uint8)
