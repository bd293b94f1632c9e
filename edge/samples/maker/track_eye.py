"""The racer's eye: from pixels to places on the ground and the walls, and back.

The geometry is the DeepRacer simulator's: 0.13 m above the ground, looking 15 degrees down, 64.7 degrees wide.
Every eye is a little off those numbers, as every car is.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HEIGHT, PITCH, FIELD = 0.130, 0.2618, 1.13  # metres, radians, radians

Field = NDArray[np.float32]


class Eye(NamedTuple):
    """Where the camera is (metres), where it looks (radians; yaw anticlockwise from x), how wide."""

    x: float
    y: float
    yaw: float
    height: float = HEIGHT
    pitch: float = PITCH
    roll: float = 0.0
    field: float = FIELD

    def focal(self, width: int) -> float:
        """The focal length in pixels of a picture `width` pixels wide."""
        return width / 2 / float(np.tan(self.field / 2))


class Rays(NamedTuple):
    """Of each pixel (h, w) what a step along its ray does: metres along x and y, and down."""

    x: Field
    y: Field
    down: Field


def rays(eye: Eye, size: tuple[int, int]) -> Rays:
    """The rays of a picture of `size` (height, width)."""
    height, width = size
    focal = eye.focal(width)
    v, u = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = (u - (width - 1) / 2) / focal, (v - (height - 1) / 2) / focal
    c, s = np.cos(eye.roll), np.sin(eye.roll)
    right, below = c * u - s * v, s * u + c * v
    ahead = np.cos(eye.pitch) - np.sin(eye.pitch) * below
    down = np.sin(eye.pitch) + np.cos(eye.pitch) * below
    c, s = np.cos(eye.yaw), np.sin(eye.yaw)
    return Rays(*(f.astype(np.float32) for f in (c * ahead + s * right, s * ahead - c * right, down)))


def to_ground(eye: Eye, rays: Rays) -> Field:
    """How many steps each ray goes to the ground; infinitely many from the horizon upward."""
    with np.errstate(divide="ignore", invalid="ignore"):
        steps: Field = np.where(rays.down > 1e-4, eye.height / rays.down, np.inf).astype(np.float32)
    return steps


def to_walls(eye: Eye, rays: Rays, room: tuple[float, float, float, float]) -> Field:
    """How many steps each ray goes to the walls of a room x1, y1, x2, y2 that the eye is in."""
    with np.errstate(divide="ignore", invalid="ignore"):
        along_x = np.where(rays.x > 0, (room[2] - eye.x) / rays.x, (room[0] - eye.x) / rays.x)
        along_y = np.where(rays.y > 0, (room[3] - eye.y) / rays.y, (room[1] - eye.y) / rays.y)
    steps: Field = np.minimum(along_x, along_y).astype(np.float32)
    return steps


def seen_at(eye: Eye, x: float, y: float, z: float, size: tuple[int, int]) -> tuple[float, float, float]:
    """Column and row of a point in a picture of `size` (height, width), and its depth in metres (below 0: behind)."""
    c, s = np.cos(eye.yaw), np.sin(eye.yaw)
    ahead, right, below = (x - eye.x) * c + (y - eye.y) * s, (x - eye.x) * s - (y - eye.y) * c, eye.height - z
    depth = ahead * np.cos(eye.pitch) + below * np.sin(eye.pitch)
    lower = below * np.cos(eye.pitch) - ahead * np.sin(eye.pitch)
    focal = eye.focal(size[1]) / max(abs(depth), 1e-3)
    u, v = right * focal, lower * focal
    c, s = np.cos(eye.roll), np.sin(eye.roll)
    return float(c * u + s * v) + (size[1] - 1) / 2, float(c * v - s * u) + (size[0] - 1) / 2, float(depth)
