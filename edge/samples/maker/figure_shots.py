"""Drawing figures: a body in its pose before a wall, seen by a camera that is held by hand."""

from typing import NamedTuple

import cv2
import figure_body as b
import numpy as np
from figure_body import Body, Joints
from numpy.typing import NDArray
from palette import ANY, BLUE, BROWN, DARK, GREY, PALE, SKIN, VIVID, darker, pick
from surfaces import Surface

Canvas = NDArray[np.uint8]
Colours = NDArray[np.float32]
FIXED = 4  # fractional bits of cv2's drawing coordinates
MARGIN = 1.6  # the wall is so much wider and higher than the picture


class Shot(NamedTuple):
    """The camera and the place. Lengths in heights of the picture."""

    wall: Canvas  # MARGIN pictures high and wide
    height: float  # of the figure
    foot: float  # where its feet stand, 0 at the top
    yaw: float  # radians; 0: it looks at the camera
    tilt: float  # how much of the depth shows as height
    shake: NDArray[np.float64]  # (2, 4): of x and y the strength, two frequencies, a phase
    chair: tuple[bool, NDArray[np.float32]]
    glow: tuple[float, float]  # strength and frequency of a lamp that flickers


def body(rng: np.random.Generator) -> Body:
    shirt, trousers, skin = (
        pick(rng, ANY, VIVID, PALE, DARK),
        pick(rng, DARK, BLUE, GREY, ANY),
        pick(rng, SKIN),
    )
    sleeves = shirt if rng.random() < 0.5 else skin
    legs = trousers if rng.random() < 0.75 else skin
    rows = [shirt, skin, shirt, shirt, sleeves, sleeves, trousers, trousers, legs, legs]
    hair, shoes = pick(rng, DARK, BROWN, ANY), pick(rng, DARK, PALE, ANY)
    leg, thick = rng.uniform(0.23, 0.26), rng.uniform(0.8, 1.35)
    return Body(
        rng.uniform(0.28, 0.32),
        rng.uniform(0.11, 0.14),
        rng.uniform(0.16, 0.19),
        rng.uniform(0.17, 0.2),
        leg,
        leg,
        rng.uniform(0.085, 0.125),
        rng.uniform(0.045, 0.065),
        0.15 * thick,
        np.stack([*rows, hair, shoes, skin]).astype(np.float32),
    )


def shot(rng: np.random.Generator, size: tuple[int, int], style: tuple[object, ...], shaky: float) -> Shot:
    """A place and a camera for pictures of `size` (width, height)."""
    shake = rng.uniform(0, 1, (2, 4)) * (0.012 * shaky, 1.6, 5, 2 * np.pi)
    height = rng.uniform(0.55, 0.76)
    return Shot(
        wall(rng, (round(size[0] * MARGIN), round(size[1] * MARGIN)), style),
        height,
        rng.uniform(max(0.85, height + 0.17), 0.96),
        rng.uniform(-np.pi, np.pi),
        rng.uniform(0.0, 0.22),
        shake,
        (bool(rng.random() < 0.65), pick(rng, ANY, BROWN, GREY, DARK)),
        (rng.uniform(0, 0.05) * shaky, rng.uniform(0.5, 6)),
    )


def wall(rng: np.random.Generator, size: tuple[int, int], style: tuple[object, ...]) -> Canvas:
    """A wall above a floor, of two surfaces, `size` (width, height)."""
    draws = [style[int(i)] for i in rng.integers(len(style), size=2)]
    upper, floor = (draw(rng, (128, 128)) for draw in draws)  # type: ignore[operator]
    whole: Surface = cv2.resize(upper, size)
    low = int(size[1] * rng.uniform(0.62, 0.8))
    whole[low:] = cv2.resize(floor, (size[0], size[1] - low)) * rng.uniform(0.6, 1.1)
    mean = whole.mean(axis=(0, 1))
    return np.clip((whole - mean) * rng.uniform(0.3, 0.8) + mean, 0, 255).astype(np.uint8)


class Place(NamedTuple):
    """Where things stand across the picture, in picture heights from its middle, and which way the figure turned."""

    figure: float
    chair: float
    turned: float = 0.0  # radians from the shot's yaw
    panned: float = 0.0  # how far the camera has followed


def drawn(
    shot: Shot, body: Body, joints: Joints, place: Place, lift: float, t: float, size: tuple[int, int]
) -> Canvas:
    """The picture at `t` seconds: (height, width, 3) of `size` (width, height). `lift` in heights of the figure."""
    canvas = _wall(shot, place.panned, t, size)
    scale = shot.height * size[1]
    yaw = shot.yaw + place.turned
    foot, stand = (_stands(shot, across - place.panned, t, size) for across in (place.figure, place.chair))
    _shadow(canvas, foot, scale, lift)
    if shot.chair[0]:
        _chair(canvas, shot, stand, scale)
    flat, depth = seen(joints + np.array([0, 0, lift]), yaw, shot.tilt)
    points = flat * scale + foot
    for limb in np.argsort(depth):
        _limb(canvas, body, int(limb), points, float(depth[limb]), scale, yaw)
    flicker = 1 + shot.glow[0] * np.sin(2 * np.pi * shot.glow[1] * t)
    return cv2.convertScaleAbs(canvas, alpha=float(flicker))


def seen(
    places: NDArray[np.float64], yaw: float, tilt: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where places (..., 2, 3) of limbs show (..., 2, 2), and how near each limb is (greater is nearer)."""
    across = places[..., 0] * np.cos(yaw) + places[..., 1] * np.sin(yaw)
    near = places[..., 1] * np.cos(yaw) - places[..., 0] * np.sin(yaw)
    flat = np.stack([across, near * tilt - places[..., 2]], axis=-1)
    return flat, near.mean(axis=-1)


def _moved(shot: Shot, t: float) -> NDArray[np.float64]:
    """How far the camera's shaking moves the picture: x, y in its heights."""
    strength, slow, fast, phase = shot.shake.T
    moved: NDArray[np.float64] = strength * (np.sin(slow * t + phase) + 0.5 * np.sin(fast * t + 2 * phase))
    return moved


def _stands(shot: Shot, across: float, t: float, size: tuple[int, int]) -> NDArray[np.float64]:
    foot: NDArray[np.float64] = np.array([size[0] / 2 + across * size[1], shot.foot * size[1]])
    return foot + _moved(shot, t) * size[1]


def _wall(shot: Shot, panned: float, t: float, size: tuple[int, int]) -> Canvas:
    x, y = (_moved(shot, t) - (panned, 0)) * size[1]
    left, top = (shot.wall.shape[1] - size[0]) / 2, shot.wall.shape[0] - size[1] * 1.3
    matrix = np.array([[1, 0, x - left], [0, 1, y - top]])
    return cv2.warpAffine(shot.wall, matrix, size, borderMode=cv2.BORDER_REFLECT)


def _limb(
    canvas: Canvas, body: Body, limb: int, points: NDArray[np.float64], depth: float, scale: float, yaw: float
) -> None:
    begin, end = points[limb]
    colour = darker(body.colours[limb], 1 + 1.2 * depth)
    if limb == b.TORSO:
        _torso(canvas, body, points, scale, colour, yaw)
    elif limb == b.HEAD:
        _line(canvas, begin, end, 0.4 * body.girth * scale, darker(body.colours[limb], 0.85))
        _line(canvas, end, end, 0.115 * scale, body.colours[10])
        face = (0.022 * scale * np.sin(yaw), 0.02 * scale * max(0.0, np.cos(yaw)))
        if np.cos(yaw) > -0.5:
            _line(canvas, end + face, end + face, 0.09 * scale, body.colours[limb])
    else:
        thick = {b.THIGH_L: 0.52, b.THIGH_R: 0.52, b.SHANK_L: 0.4, b.SHANK_R: 0.4}.get(limb, 0.31)
        _line(canvas, begin, end, thick * body.girth * scale, colour)
        tip = body.colours[11] if limb in (b.SHANK_L, b.SHANK_R) else body.colours[12]
        if limb in (b.SHANK_L, b.SHANK_R):
            toe = np.array([np.sin(yaw), 0.3 * np.cos(yaw)]) * 0.06 * scale
            _line(canvas, end, end + toe, 0.3 * body.girth * scale, tip)
        elif limb in (b.HAND_L, b.HAND_R):
            _line(canvas, end, end, 0.34 * body.girth * scale, tip)


def _torso(
    canvas: Canvas,
    body: Body,
    points: NDArray[np.float64],
    scale: float,
    colour: NDArray[np.float32],
    yaw: float,
) -> None:
    corners = [points[b.ARM_L, 0], points[b.ARM_R, 0], points[b.THIGH_R, 0], points[b.THIGH_L, 0]]
    middle = np.mean(corners, axis=0)
    inner = [corner + (middle - corner) * 0.15 for corner in corners]
    thick = body.girth * scale * 0.62
    for first, second in zip(inner, [*inner[1:], inner[0]], strict=True):
        _line(canvas, first, second, thick, colour)
    fixed = np.round(np.array(inner) * 2**FIXED).astype(np.int32)
    cv2.fillConvexPoly(canvas, fixed, colour.tolist(), cv2.LINE_AA, FIXED)
    _line(canvas, points[b.THIGH_L, 0], points[b.THIGH_R, 0], thick, darker(body.colours[b.THIGH_L], 0.95))


def _line(
    canvas: Canvas,
    begin: NDArray[np.float64],
    end: NDArray[np.float64],
    thick: float,
    colour: NDArray[np.float32],
) -> None:
    first, second = (tuple(int(v) for v in np.round(point * 2**FIXED)) for point in (begin, end))
    cv2.line(canvas, first, second, colour.tolist(), max(1, round(thick)), cv2.LINE_AA, FIXED)


def _shadow(canvas: Canvas, foot: NDArray[np.float64], scale: float, lift: float) -> None:
    axes = (max(1, int(0.16 * scale)), max(1, int(0.035 * scale)))
    over = canvas.copy()
    cv2.ellipse(over, (int(foot[0]), int(foot[1])), axes, 0, 0, 360, (20, 20, 20), -1, cv2.LINE_AA)
    share = 0.45 - min(0.3, lift)
    cv2.addWeighted(over, share, canvas, 1 - share, 0, canvas)


def _chair(canvas: Canvas, shot: Shot, foot: NDArray[np.float64], scale: float) -> None:
    """A stool behind where the figure's feet are when it sits, as high as its shanks are long."""
    colour = shot.chair[1]
    corners = np.array([(x, y, 0.22) for x, y in ((-0.1, -0.36), (0.1, -0.36), (0.1, -0.14), (-0.1, -0.14))])
    pairs = np.stack([corners, corners - (0, 0, 0.21)], axis=1)
    flat, _ = seen(pairs, shot.yaw, shot.tilt)
    points = flat * scale + foot
    for top, bottom in points:
        _line(canvas, top, bottom, 0.03 * scale, darker(colour, 0.7))
    for first, second in zip(points[:, 0], np.roll(points[:, 0], -1, axis=0), strict=True):
        _line(canvas, first, second, 0.045 * scale, colour)
    cv2.fillConvexPoly(
        canvas, np.round(points[:, 0] * 2**FIXED).astype(np.int32), colour.tolist(), cv2.LINE_AA, FIXED
    )
