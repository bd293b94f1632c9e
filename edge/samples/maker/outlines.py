"""Outlines in unit coordinates: arrays (n, 2) float64 of x (right) and y (down), a sprite reaching from -1 to 1."""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def points(*pairs: tuple[float, float]) -> Points:
    return np.array(pairs, np.float64)


def ellipse(x: float, y: float, rx: float, ry: float, start: float = 0.0, end: float = 360.0) -> Points:
    """An arc of an ellipse, angles in degrees clockwise from the right; closed when it goes all round."""
    angles = np.radians(np.linspace(start, end, 40))
    return np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], axis=1)


def box(left: float, top: float, right: float, bottom: float) -> Points:
    return points((left, top), (right, top), (right, bottom), (left, bottom))


def rounded(left: float, top: float, right: float, bottom: float, radius: float) -> Points:
    corners = [
        (right - radius, top + radius, -90),
        (right - radius, bottom - radius, 0),
        (left + radius, bottom - radius, 90),
        (left + radius, top + radius, 180),
    ]
    return np.concatenate([ellipse(x, y, radius, radius, a, a + 90)[::4] for x, y, a in corners])


def smooth(corners: Points, steps: int = 8, closed: bool = True) -> Points:
    """A Catmull-Rom curve through `corners`, `steps` points for each piece."""
    n = len(corners)
    padded = np.concatenate([corners[-1:], corners, corners[:2]]) if closed else _with_ends(corners)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = [_catmull(padded[i : i + 4], t) for i in range(n if closed else n - 1)]
    return np.concatenate(pieces if closed else [*pieces, corners[-1:]])


def _with_ends(corners: Points) -> Points:
    return np.concatenate([corners[:1], corners, corners[-1:]])


def _catmull(p: Points, t: NDArray[np.float64]) -> Points:
    curve: Points = 0.5 * (
        2 * p[1]
        + (p[2] - p[0]) * t
        + (2 * p[0] - 5 * p[1] + 4 * p[2] - p[3]) * t**2
        + (3 * p[1] - p[0] - 3 * p[2] + p[3]) * t**3
    )
    return curve


def profile(half_widths: list[tuple[float, float]], steps: int = 6) -> Points:
    """The closed outline of a turned thing: (y, half width) from top to bottom, mirrored about x = 0."""
    right = smooth(np.array([(w, y) for y, w in half_widths]), steps, closed=False)
    left = right[::-1] * (-1, 1)
    return np.concatenate([right, left])


def blob(
    rng: np.random.Generator, x: float, y: float, radius: float, rough: float = 0.25, n: int = 8
) -> Points:
    """A round thing with `n` bumps; `rough` is the greatest change of its radius, as a share."""
    angles = np.linspace(0, 2 * np.pi, n, endpoint=False) + rng.uniform(0, 2 * np.pi)
    radii = radius * (1 + rng.uniform(-rough, rough, n))
    return smooth(np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], axis=1))


def zigzag(rng: np.random.Generator, left: float, right: float, y: float, height: float, n: int) -> Points:
    """A torn edge from `left` to `right` about `y`, `n` teeth of up to `height`."""
    x = np.linspace(left, right, 2 * n + 1)
    tooth = np.where(np.arange(2 * n + 1) % 2 == 0, 1.0, -1.0) * height * rng.uniform(0.4, 1.0, 2 * n + 1)
    return np.stack([x, y + tooth], axis=1)


def strip(line: Points, widths: NDArray[np.float64]) -> Points:
    """The closed outline of a band along `line`, as wide on each side as `widths` (n,) says at each point."""
    along = np.gradient(line, axis=0)
    length = np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / length * widths[:, None]
    return np.concatenate([line + across, (line - across)[::-1]])


def moved(shape: Points, x: float, y: float) -> Points:
    return shape + np.array((x, y))


def turned(shape: Points, degrees: float, x: float = 0.0, y: float = 0.0) -> Points:
    """`shape` turned clockwise about the origin, then moved by (x, y)."""
    a = np.radians(degrees)
    matrix = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    return shape @ matrix + (x, y)
