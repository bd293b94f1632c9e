"""The clip of figures: one figure does everything, one thing after the other."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import figure_moves
import figure_pictures
import figure_shots
import numpy as np
import surfaces
from figure_moves import JUMPING, RISING, SITTING, STILL, WALKING, WAVING, Manner
from figure_pictures import FPS, LABELS, MOST, STRIDE, WINDOW, Span
from figure_shots import Place, Shot
from optics import Picture
from palette import from_hsv
from surfaces import Surface

SEED = 7
SIZE = (320, 240)
FINE = 2
YAW, TURN = 0.45, 0.85  # radians: how the figure stands, and how it turns to walk
TURNING, LAG = 0.35, 0.3  # seconds
STOOL = 0.02  # where it sits down, picture heights beyond its last step
SPANS = (
    Span(STILL, 0.0, 2.2),
    Span(WAVING, 2.2, 4.8),
    Span(WALKING, 4.8, 8.3),
    Span(STILL, 8.3, 9.9),
    Span(SITTING, 9.9, 11.4),
    Span(STILL, 11.4, 13.4, sitting=True),
    Span(RISING, 13.4, 14.9),
    Span(JUMPING, 14.9, 17.8),
    Span(WAVING, 17.8, 20.0),
)
FRAMES = round(SPANS[-1].end * FPS)


class Frame(NamedTuple):
    """A picture of the clip and its line of the label track."""

    picture: Picture
    truth: dict[str, Any]


def head() -> dict[str, Any]:
    """The head of the label track."""
    return {"clip": "clip.mp4", "fps": FPS, "size": [*SIZE], "labels": [*LABELS], "each_frame": "label"}


def performance() -> Iterator[Frame]:
    """The clip, frame by frame."""
    rng = np.random.default_rng(SEED)
    manner, body = _manner(rng), figure_shots.body(rng)._replace(colours=_clothes())
    large = (SIZE[0] * FINE, SIZE[1] * FINE)
    shot = _shot(rng, large)
    for number in range(FRAMES):
        t = number / FPS
        picture = figure_pictures.picture(shot, body, manner, SPANS, t, _place(manner, shot, t), large)
        small = cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)
        yield Frame(small, {"frame": number, "label": LABELS[_now(t).activity]})


def asked(labels: Sequence[str], last: int) -> str | None:
    """What fills at least MOST of the window that ends with frame `last` of a label track; None for nothing."""
    first = last - (WINDOW - 1) * STRIDE
    seen = list(labels[first : last + 1 : STRIDE]) if first >= 0 else []
    most = max(set(seen), key=seen.count) if seen else ""
    return most if seen and seen.count(most) >= MOST * WINDOW else None


def _now(t: float) -> Span:
    return next((span for span in SPANS if t < span.end), SPANS[-1])


def _manner(rng: np.random.Generator) -> Manner:
    manner = figure_moves.manner(rng)
    standing = figure_moves.upright(rng)
    for arm, hand in (figure_moves.LEFT, figure_moves.RIGHT):
        standing[arm], standing[hand] = (2, 8), (12, 5)
    return manner._replace(
        standing=standing, stride=1.0, reach=26, swing=26, bend=45, pace=0.55, wave=(0.6, 32, 95, 15),
        arms=(False, True), hop=(0.75, 0.15, 40, 0.0), sink=1.5, bow=32, sway=0.8,
    )  # fmt: skip


def _clothes() -> figure_shots.Colours:
    shirt, skin, blue = from_hsv(4, 0.66, 0.78), from_hsv(22, 0.42, 0.84), from_hsv(216, 0.55, 0.42)
    rows = [shirt, skin, shirt, shirt, skin, skin, blue, blue, blue, blue]
    return np.stack([*rows, from_hsv(25, 0.5, 0.22), from_hsv(0, 0, 0.9), skin]).astype(np.float32)


def _shot(rng: np.random.Generator, size: tuple[int, int]) -> Shot:
    shot = figure_shots.shot(rng, size, (surfaces.gradient,), 0.5)
    room = _room(rng, (round(size[0] * figure_shots.MARGIN), round(size[1] * figure_shots.MARGIN)))
    return shot._replace(
        wall=np.clip(room, 0, 255).astype(np.uint8), height=0.68, foot=0.92, yaw=YAW, tilt=0.1,
        chair=(True, from_hsv(28, 0.5, 0.55)), glow=(0.01, 1.0),
    )  # fmt: skip


def _room(rng: np.random.Generator, size: tuple[int, int]) -> Surface:
    """A plain wall with pictures on it, a skirting, boards."""
    width, height = size
    room = surfaces.tinted(from_hsv(75, 0.12, 0.82), surfaces.clouds(rng, (height, width), 3), 0.02)
    low = int(height * 0.76)
    grain = surfaces.clouds(rng, (height - low, width), 20, 12)
    room[low:] = surfaces.tinted(from_hsv(30, 0.38, 0.6), grain, 0.05)
    room[low - 10 : low] = from_hsv(40, 0.05, 0.92)
    for number in range(6):
        left, top = int((0.06 + 0.17 * number) * width), int(height * rng.uniform(0.36, 0.46))
        high, wide = int(height * rng.uniform(0.1, 0.16)), int(width * rng.uniform(0.06, 0.09))
        room[top : top + high, left : left + wide] = from_hsv(30, 0.3, 0.35)
        room[top + 5 : top + high - 5, left + 5 : left + wide - 5] = from_hsv(rng.uniform(0, 360), 0.3, 0.75)
    return room


def _place(manner: Manner, shot: Shot, t: float) -> Place:
    walk = next(span for span in SPANS if span.activity == WALKING)
    speed = manner.pace * shot.height * float(np.sin(YAW + TURN))
    stool = speed * (walk.end - walk.begin) + STOOL
    where, camera = (speed * float(np.clip(at - walk.begin, 0, walk.end - walk.begin)) for at in (t, t - LAG))
    turned = TURN * _eased((t - walk.begin + TURNING) / TURNING) * _eased((walk.end + TURNING - t) / TURNING)
    return Place(where, stool, turned, camera)


def _eased(share: float) -> float:
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)
