"""Windows of frames in which a figure does one thing for most of the time. NumPy and cv2 only."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import figure_body
import figure_moves
import figure_shots
import numpy as np
import optics
import surfaces
from figure_body import Body
from figure_moves import JUMPING, RISING, SITTING, STILL, WALKING, WAVING, Manner, Moment
from figure_shots import Place, Shot
from numpy.typing import NDArray

LABELS = figure_moves.LABELS
FPS, WINDOW, STRIDE = 24, 16, 2  # of the clips; frames of a window; every second frame is looked at
SIDE = 64
FINE = 3
SECONDS = WINDOW * STRIDE / FPS
TIMES = np.arange(WINDOW) * STRIDE / FPS
MOST = 0.6  # a window is called by what fills at least this share of it
BLEND = 0.16  # seconds from one activity to the next

Clip = NDArray[np.uint8]
Draw = Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float32]]


class Split(NamedTuple):
    """A seed, and what the windows of a set are drawn from."""

    seed: int
    walls: tuple[Draw, ...]
    light: optics.Light
    shaky: float


TRAINED_WALLS = (
    surfaces.gradient,
    surfaces.noise,
    surfaces.wood,
    surfaces.tiles,
    surfaces.cloth,
    surfaces.speckle,
    surfaces.room,
    surfaces.room,
    surfaces.dead_leaves,
    surfaces.labyrinth,
)
TRAINING = Split(20260401, TRAINED_WALLS, optics.TRAINED._replace(gain=0.2), 1.0)
HELD_OUT = Split(99013, surfaces.HELD_OUT, optics.HELD_OUT._replace(gain=0.2), 1.2)


class Span(NamedTuple):
    """An activity from `begin` to `end` (seconds); `sitting`: whether on the chair, for still and waving."""

    activity: int
    begin: float
    end: float
    sitting: bool = False


class Shown(NamedTuple):
    """Frames (16, 64, 64, 3) BGR and the number of the label."""

    frames: Clip
    label: int


def window(split: Split, index: int) -> Shown:
    """The window of a number: told by the split's seed and the number alone."""
    rng = np.random.default_rng([split.seed, index])
    label = index % len(LABELS)
    manner, body = figure_moves.manner(rng), figure_shots.body(rng)
    spans = timeline(rng, label, manner)
    large = (SIDE * FINE, SIDE * FINE)
    shot = figure_shots.shot(rng, large, split.walls, split.shaky)
    frames = []
    for place, t in zip(_places(rng, manner, spans, shot), TIMES, strict=True):
        frames.append(picture(shot, body, manner, spans, float(t), place, large))
    return Shown(_photographed(rng, np.stack(frames), split.light), label)


def timeline(rng: np.random.Generator, label: int, manner: Manner) -> tuple[Span, ...]:
    """Up to three activities, of which `label` fills at least MOST of the window."""
    length = manner.sink if label in (SITTING, RISING) else 10.0
    if length < SECONDS:
        begin = rng.uniform(0, SECONDS - length)
    else:
        hidden = rng.uniform(0, 1 - MOST) * SECONDS * (rng.random() < 0.5)
        begin = hidden if rng.random() < 0.5 else SECONDS - hidden - length
        if rng.random() < 0.5 and length > SECONDS + 0.5:
            begin = -rng.uniform(0, min(3, length - SECONDS))
    sitting = bool(label in (STILL, WAVING) and rng.random() < 0.3)
    before_sitting = label == RISING or (sitting and rng.random() < 0.6)
    after_sitting = label == SITTING or (sitting and rng.random() < 0.6)
    return (
        _beside(rng, label, sitting, before_sitting, manner, (begin, -1)),
        Span(label, begin, begin + length, sitting),
        _beside(rng, label, sitting, after_sitting, manner, (begin + length, 1)),
    )


def _beside(
    rng: np.random.Generator, label: int, sitting: bool, seated: bool, manner: Manner, at: tuple[float, int]
) -> Span:
    """What is done before (-1) or after (1) the time `at`, other than `label`."""
    edge, side = at
    if sitting and not seated:  # it had to sit down, or will stand up
        activity, length = (SITTING, manner.sink) if side < 0 else (RISING, manner.sink)
    else:
        choices = [STILL, WAVING] if seated else [STILL, WALKING, WAVING, JUMPING]
        choices = [each for each in choices if each != label]
        activity, length = int(rng.choice(choices)), 10.0
    return (
        Span(activity, edge - length, edge, seated)
        if side < 0
        else Span(activity, edge, edge + length, seated)
    )


def at_time(manner: Manner, spans: tuple[Span, ...], t: float) -> Moment:
    """The pose at `t`; between two activities one fades into the other."""
    now = next((span for span in spans if t < span.end), spans[-1])
    moment = _moment(manner, now, t)
    for other in spans:
        away = now.begin - t if other.end == now.begin else t - now.end if other.begin == now.end else -9.0
        if away > -BLEND / 2:
            share = 0.5 + away / BLEND
            beside = _moment(manner, other, t)
            moment = Moment(*(a * (1 - share) + b * share for a, b in zip(moment, beside, strict=True)))
    return moment


def _moment(manner: Manner, span: Span, t: float) -> Moment:
    return figure_moves.moment(manner, span.activity, span.sitting, t - span.begin)


def picture(
    shot: Shot,
    body: Body,
    manner: Manner,
    spans: tuple[Span, ...],
    t: float,
    place: Place,
    size: tuple[int, int],
) -> Clip:
    """The scene at `t` as it is drawn, before light and camera."""
    moment = at_time(manner, spans, t)
    joints = figure_body.joints(body, moment.pose)
    return figure_shots.drawn(shot, body, joints, place, moment.lift, t, size)


def _places(rng: np.random.Generator, manner: Manner, spans: tuple[Span, ...], shot: Shot) -> list[Place]:
    """Where figure and chair stand at each of TIMES; the camera follows a walk more or less, or pans on its own."""
    walked = np.zeros(WINDOW)
    for span in spans:
        if span.activity == WALKING:
            walked += np.clip(TIMES, span.begin, span.end) - max(span.begin, 0.0)
    walked *= manner.pace * shot.height * np.sin(shot.yaw)
    pan = rng.uniform(-0.12, 0.12) * (rng.random() < 0.3) * TIMES + walked * rng.choice(
        [0.0, rng.uniform(0, 1), 1.0]
    )
    start, middle = rng.uniform(-0.16, 0.16), WINDOW // 2
    sits = any(span.sitting or span.activity in (SITTING, RISING) for span in spans)
    chair = start if sits else start + rng.uniform(-0.5, 0.5)
    away = start - (walked - pan)[middle]
    return [
        Place(float(w + away), chair + float(away - start), 0.0, float(p))
        for w, p in zip(walked, pan, strict=True)
    ]


def _photographed(rng: np.random.Generator, frames: Clip, light: optics.Light) -> Clip:
    """One light for the whole window; each frame has its own noise."""
    small = np.stack([cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for frame in frames])
    field = optics.lit(rng, np.ones((SIDE, SIDE, 3), np.float32), light)
    gamma = float(np.exp(rng.uniform(-light.gamma, light.gamma)))
    noise, blur = rng.uniform(0, light.noise), rng.uniform(0.2, 0.7) if rng.random() < 0.5 else 0.0
    seen = 255 * np.power(np.clip(small * field, 0, 255) / 255, gamma)
    if blur:
        seen = np.stack([cv2.GaussianBlur(frame, (0, 0), blur) for frame in seen])
    seen = seen + rng.standard_normal(seen.shape, np.float32) * noise
    return np.clip(seen + 0.5, 0, 255).astype(np.uint8)
