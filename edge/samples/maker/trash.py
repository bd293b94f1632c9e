"""Pictures of trash: one thing for the sorter to name, several or none for the finder to find.

A picture is told by its split and its index alone, so that any part of a set can be drawn again anywhere.
"""

from collections.abc import Callable
from typing import NamedTuple

import clutter
import cv2
import numpy as np
import optics
import scene
import surfaces
import trash_compost
import trash_landfill
import trash_recycling
from numpy.typing import NDArray
from optics import Light, Picture
from scene import Laid, Pose
from sprite import Sprite
from surfaces import Surface

LABELS = ("compost", "landfill", "recycling")
KINDS = 5  # of things under each label
ITEMS = (*trash_compost.ITEMS, *trash_landfill.ITEMS, *trash_recycling.ITEMS)
PAD = 114
STANDS_OUT = (
    60.0  # how far a thing's mean colour is from that of what it lies on, in grey levels over the channels
)
Draw = Callable[[np.random.Generator, int], Sprite]


class Split(NamedTuple):
    """A set of pictures: its seed, and what its pictures may be made of."""

    name: str
    seed: int
    surfaces: tuple[Callable[[np.random.Generator, tuple[int, int]], Surface], ...]
    light: Light
    occluders: tuple[Draw, ...]


TRAINING = Split("training", 20260101, surfaces.TRAINED, optics.TRAINED, clutter.TRAINED_OCCLUDERS)
HELD_OUT = Split("held-out", 77007, surfaces.HELD_OUT, optics.HELD_OUT, clutter.HELD_OUT_OCCLUDERS)


class Shown(NamedTuple):
    """A picture (h, w, 3) uint8 BGR of one thing: its label's number, its kind, and how much of each place it fills."""

    picture: Picture
    label: int
    kind: int
    mask: NDArray[np.uint8]  # (h / 8, w / 8), 0..255


class Found(NamedTuple):
    """A picture (h, w, 3) uint8 BGR and what is in it: boxes (n, 4) x1, y1, x2, y2 as shares of it, labels (n,)."""

    picture: Picture
    boxes: NDArray[np.float32]
    labels: NDArray[np.int32]
    kinds: NDArray[np.int32]


def of_label(label: int) -> tuple[Draw, ...]:
    """The things under the label of that number."""
    return ITEMS[label * KINDS : (label + 1) * KINDS]


def sorter_picture(split: Split, index: int, side: int = 128) -> Shown:
    """Picture `index` of a split for the sorter, as high and as wide as `side`; the labels take turns."""
    rng = np.random.default_rng([split.seed, 1, index])
    kind = index % len(LABELS) * KINDS + int(rng.integers(KINDS))
    canvas = _surface(rng, split, (side, side))
    for _ in range(int(rng.integers(0, 3))):
        _aside(rng, canvas, _any(rng, clutter.THINGS))
    if rng.random() < 0.15:
        _aside(rng, canvas, _any(rng, ITEMS))
    extent = side * rng.uniform(0.68, 1.15)
    pose = _pose(rng, (side, side), extent, 0.5 + rng.normal(0, 0.06, 2))
    laid = scene.lay(canvas, _standing_out(rng, canvas, ITEMS[kind], pose), pose, scene.cast(rng))
    mask = laid.mask
    if rng.random() < 0.3:
        mask = mask * (1 - _cover(rng, canvas, laid, extent, split.occluders))
    coarse = cv2.resize(mask, (side // 8, side // 8), interpolation=cv2.INTER_AREA) * 255
    return Shown(optics.photographed(rng, canvas, split.light), kind // KINDS, kind, coarse.astype(np.uint8))


def finder_picture(split: Split, index: int, size: tuple[int, int] = (256, 192)) -> Found:
    """Picture `index` of a split for the finder, `size` is (width, height); some are letterboxed into it."""
    rng = np.random.default_rng([split.seed, 2, index])
    inner, (left, top) = _frame(rng, size)
    found = _table(rng, split, inner)
    if inner == size:
        return found
    picture = np.full((size[1], size[0], 3), PAD, np.uint8)
    picture[top : top + inner[1], left : left + inner[0]] = found.picture
    boxes = (found.boxes * np.tile(inner, 2) + (left, top, left, top)) / np.tile(size, 2)
    return found._replace(picture=picture, boxes=boxes.astype(np.float32))


def _frame(rng: np.random.Generator, size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The part of the input that the picture fills: all of it for a 4:3 camera, less for a wide or an upright one."""
    width, height = size
    kind = rng.random()
    if kind < 0.55:
        return size, (0, 0)
    inner = (width, width * 9 // 16) if kind < 0.85 else (height * 3 // 4, height)
    return inner, ((width - inner[0]) // 2, (height - inner[1]) // 2)


def _table(rng: np.random.Generator, split: Split, size: tuple[int, int]) -> Found:
    width, height = size
    canvas = _surface(rng, split, (height, width))
    for _ in range(int(rng.integers(0, 5))):
        extent = height * rng.uniform(0.15, 1.0) ** 1.3 * 1.3
        _put(rng, canvas, _any(rng, clutter.THINGS), extent, rng.uniform(0, 1, 2))
    laid: list[Laid] = []
    kinds = []
    for _ in range(int(rng.choice(6, p=(0.22, 0.26, 0.2, 0.16, 0.1, 0.06)))):
        kind = int(rng.integers(len(ITEMS)))
        extent = min(width, height) * float(np.exp(rng.uniform(np.log(0.3), np.log(0.95))))
        thing = _free(rng, canvas, ITEMS[kind], extent, laid)
        if thing is not None:
            laid.append(thing)
            kinds.append(kind)
            if rng.random() < 0.2:
                _cover(rng, canvas, thing, extent, split.occluders)
    boxes = np.array([thing.box for thing in laid], np.float32).reshape(-1, 4) / np.tile(np.float32(size), 2)
    numbers = np.array(kinds, np.int32)
    return Found(optics.photographed(rng, canvas, split.light), boxes, numbers // KINDS, numbers)


def _surface(rng: np.random.Generator, split: Split, size: tuple[int, int]) -> Surface:
    """One of the split's surfaces, more or less washed out: what lies on it should stand out, mostly."""
    surface = split.surfaces[int(rng.integers(len(split.surfaces)))](rng, size)
    return surface + rng.uniform(0, 0.6) * (surface.mean(axis=(0, 1)) - surface)


def _any(rng: np.random.Generator, choices: tuple[Draw, ...]) -> Draw:
    return choices[int(rng.integers(len(choices)))]


def _draw(rng: np.random.Generator, draw: Draw, extent: float) -> Sprite:
    return draw(rng, int(np.clip(extent * 1.2, 40, 200)))


def _pose(rng: np.random.Generator, size: tuple[int, int], extent: float, at: NDArray[np.float64]) -> Pose:
    upright = rng.random() < 0.6
    angle = rng.normal(0, 30) if upright else rng.uniform(0, 360)
    x, y = at * size
    squeeze, shear = rng.uniform(0.72, 1.12), rng.uniform(-0.18, 0.18)
    return Pose(float(x), float(y), extent, angle, squeeze, shear, bool(rng.random() < 0.5))


def _put(
    rng: np.random.Generator, canvas: Surface, draw: Draw, extent: float, at: NDArray[np.float64]
) -> Laid:
    pose = _pose(rng, canvas.shape[1::-1], extent, at)
    return scene.lay(canvas, _draw(rng, draw, extent), pose, scene.cast(rng))


def _aside(rng: np.random.Generator, canvas: Surface, draw: Draw) -> None:
    """Something near the picture's edge, partly out of it."""
    angle = rng.uniform(0, 2 * np.pi)
    at = 0.5 + np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(0.5, 0.62)
    _put(rng, canvas, draw, canvas.shape[0] * rng.uniform(0.2, 0.55), at)


def _free(
    rng: np.random.Generator, canvas: Surface, draw: Draw, extent: float, laid: list[Laid]
) -> Laid | None:
    """Lay the thing where it hides next to nothing of the others; None when six tries found no such place."""
    size = np.array(canvas.shape[1::-1])
    margin = np.minimum(0.3 * extent / size, 0.5)
    for _ in range(6):
        pose = _pose(rng, canvas.shape[1::-1], extent, rng.uniform(margin, 1 - margin))
        sprite = _standing_out(rng, canvas, draw, pose)
        alpha = scene.silhouette(sprite, pose, canvas.shape[:2])
        if all(_hidden(other.mask, alpha) < 0.12 for other in laid) and alpha.sum() > 60:
            return scene.lay(canvas, sprite, pose, scene.cast(rng))
    return None


def _standing_out(rng: np.random.Generator, canvas: Surface, draw: Draw, pose: Pose) -> Sprite:
    """The thing in a colour unlike what it will lie on, as people photograph it: the plainest of four tries at most."""
    best, most = _draw(rng, draw, pose.extent), 0.0
    for attempt in range(4):
        sprite = best if attempt == 0 else _draw(rng, draw, pose.extent)
        contrast = _contrast(canvas, sprite, scene.silhouette(sprite, pose, canvas.shape[:2]))
        if contrast > most:
            best, most = sprite, contrast
        if most > STANDS_OUT:
            break
    return best


def _contrast(canvas: Surface, sprite: Sprite, alpha: NDArray[np.float32]) -> float:
    """How far the sprite's mean colour is from that of what is under it."""
    under = (canvas * alpha[..., None]).sum(axis=(0, 1)) / max(float(alpha.sum()), 1.0)
    own = sprite.paint.sum(axis=(0, 1)) / max(float(sprite.alpha.sum()), 1.0)
    return float(np.linalg.norm(own - under))


def _hidden(mask: NDArray[np.float32], by: NDArray[np.float32]) -> float:
    return float((mask * by).sum() / max(float(mask.sum()), 1e-6))


def _cover(
    rng: np.random.Generator, canvas: Surface, laid: Laid, extent: float, choices: tuple[Draw, ...]
) -> NDArray[np.float32]:
    """Put something before the thing, if it leaves at least three quarters of it to be seen; what it covers (h, w)."""
    sprite = _draw(rng, _any(rng, choices), extent)
    x1, y1, x2, y2 = laid.box
    for _ in range(3):
        at = rng.uniform((x1, y1), (x2, y2)) / canvas.shape[1::-1]
        pose = _pose(rng, canvas.shape[1::-1], extent * rng.uniform(0.3, 0.7), at)
        if _hidden(laid.mask, scene.silhouette(sprite, pose, canvas.shape[:2])) < 0.25:
            return scene.lay(canvas, sprite, pose, scene.cast(rng)).mask
    return np.zeros(canvas.shape[:2], np.float32)
