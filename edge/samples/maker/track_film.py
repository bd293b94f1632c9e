"""The clip of track-view: a drive round one track."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
import surfaces
import track_course
import track_eye
import track_looks
import track_pictures
import track_things
from optics import Picture
from palette import from_hsv
from surfaces import Surface
from track_course import Course
from track_eye import Eye
from track_looks import Lines, Look, Material
from track_pictures import LABELS, SIZE, Mask, Scene

SEED = 12
FPS, FRAMES = 24, 360
LARGE = (320, 240)  # of the clip's pictures; the truth is told in track_pictures.SIZE
WIDTH, SPEED = 0.76, 1.25  # metres, metres a second
AHEAD = 30  # points of the line: where the racer looks at
RUNS_EACH = 24  # frames from one mask in the label track to the next


class Frame(NamedTuple):
    """A picture of the clip, what its pixels are (120, 160), and its number."""

    picture: Picture
    mask: Mask
    number: int


def head() -> dict[str, Any]:
    """The head of the label track."""
    return {
        "clip": "clip.mp4",
        "fps": FPS,
        "size": [*LARGE],
        "labels": [*LABELS],
        "each_frame": "areas",
        "runs": f"in every {RUNS_EACH}th frame, {SIZE[0]} x {SIZE[1]} row by row: class, count, class, count, ...",
    }


def told(frame: Frame) -> dict[str, Any]:
    """The frame's line of the label track: the share of the picture that is each label, at times the whole mask."""
    areas = np.bincount(frame.mask.ravel(), minlength=len(LABELS)) / frame.mask.size
    line: dict[str, Any] = {
        "frame": frame.number,
        "areas": {name: round(float(area), 4) for name, area in zip(LABELS, areas, strict=True)},
    }
    if frame.number % RUNS_EACH == 0:
        line["runs"] = runs(frame.mask)
    return line


def runs(mask: Mask) -> list[int]:
    """Row by row: the class and the length of each stretch of equal pixels."""
    flat = mask.ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    lengths = np.diff(np.concatenate([starts, [flat.size]]))
    return [int(v) for v in np.stack([flat[starts], lengths], axis=1).ravel()]


def masked(runs: list[int]) -> Mask:
    """The mask (120, 160) of `runs`."""
    pairs = np.array(runs).reshape(-1, 2)
    return np.repeat(pairs[:, 0], pairs[:, 1]).reshape(SIZE[::-1]).astype(np.uint8)


def lap() -> Iterator[Frame]:
    """The drive, frame by frame."""
    rng = np.random.default_rng(SEED)
    scene = _scene(rng)
    for number in range(FRAMES):
        eye = _eye(scene.course, number / FPS)
        colours, _ = track_pictures.rendered(scene, eye, LARGE, 2)
        _, mask = track_pictures.rendered(scene, eye, SIZE)
        yield Frame(_seen(colours), mask, number)


def _scene(rng: np.random.Generator) -> Scene:
    posts = np.array(
        [
            (-3.4, -1.5),
            (0.2, -1.9),
            (3.5, -1.6),
            (3.3, 1.7),
            (1.2, 1.9),
            (0.1, 0.35),
            (-1.4, 1.7),
            (-3.3, 1.6),
        ]
    )
    line = track_course.rounded(1.1 * posts, 0.5)
    course = track_course.fields(line, WIDTH, 0.32)
    road = _tile(
        surfaces.tinted(from_hsv(220, 0.1, 0.27), rng.standard_normal((240, 240)).astype(np.float32), 0.05),
        0.7,
    )
    floor = _tile(track_looks.grass(rng, (240, 240)), 1.1)
    lines = Lines(0.05, 0.035, 0.62, from_hsv(40, 0.03, 0.93), from_hsv(47, 0.75, 0.9), 0.15)
    grime = 0.05 * track_looks.fractal(rng, (64, 64), 4, 3)
    sky = surfaces.tinted(from_hsv(210, 0.22, 0.8), 0.5 * track_looks.clouds(rng, (60, 80), 3), 0.08)
    wall = _boards(rng)
    x1, y1, x2, y2 = course.bounds
    room = (x1 - 1.2, y1 - 1.2, x2 + 1.2, y2 + 1.2)
    things = track_things.strewn(rng, course, (track_things.cone, track_things.tyres, track_things.crate))
    beside = tuple(thing for thing in things if _offset(course, thing.x, thing.y) > WIDTH / 2 + thing.width)
    return Scene(course, Look(road, floor, lines, grime, wall, 0.5, sky), beside, room)


def _tile(quarter: Surface, metres: float) -> Material:
    return track_looks.tiled(np.clip(quarter, 0, 255), metres)


def _boards(rng: np.random.Generator) -> Surface:
    """Barriers of two colours in turn."""
    wall = np.empty((96, 192, 3), np.float32)
    wall[:, :96], wall[:, 96:] = from_hsv(212, 0.6, 0.55), from_hsv(28, 0.08, 0.85)
    wall[:12] = from_hsv(10, 0.7, 0.7)
    return np.clip(wall * (1 + 0.03 * track_looks.clouds(rng, (96, 192), 4))[..., None], 0, 255)


def _offset(course: Course, x: float, y: float) -> float:
    return float(np.linalg.norm(course.line - (x, y), axis=1).min())


def _eye(course: Course, t: float) -> Eye:
    """Near the middle, swinging a little to both sides, looking to where the road goes."""
    point = round(SPEED * t / track_course.STEP)
    x, y, heading = course.at(point)
    aside = 0.09 * float(np.sin(0.9 * t))
    x, y = x - float(np.sin(heading)) * aside, y + float(np.cos(heading)) * aside
    far_x, far_y, _ = course.at(point + AHEAD)
    yaw = float(np.arctan2(far_y - y, far_x - x))
    return Eye(
        x, y, yaw, pitch=track_eye.PITCH + 0.006 * float(np.sin(5 * t)), roll=0.012 * float(np.sin(2.3 * t))
    )


def _seen(colours: Surface) -> Picture:
    """Daylight from one side, and a lens that is darker towards its edges."""
    x, y = surfaces.grid(colours.shape[:2])
    field = 1.04 - 0.22 * ((x - 0.6) ** 2 + (y - 0.4) ** 2)
    soft = cv2.GaussianBlur(colours, (0, 0), 0.6)
    return np.clip(soft * field[..., None] + 0.5, 0, 255).astype(np.uint8)
