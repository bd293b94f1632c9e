"""Sprites on a surface: each is turned, squeezed, thrown its shadow, and laid down; what shows of it is measured."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from sprite import Sprite
from surfaces import Surface


class Pose(NamedTuple):
    """Where and how a sprite lies: centre in pixels, its square's side in pixels, clockwise degrees, shapes."""

    x: float
    y: float
    extent: float
    angle: float = 0.0
    squeeze: float = 1.0  # of the height against the width, before turning
    shear: float = 0.0
    mirrored: bool = False

    def matrix(self, size: int) -> NDArray[np.float64]:
        """(2, 3), from pixels of a sprite of `size` to pixels of the scene."""
        scale = self.extent / size
        a = np.radians(self.angle)
        turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
        shape = np.array(
            [[-scale if self.mirrored else scale, self.shear * scale], [0, scale * self.squeeze]]
        )
        linear = turn @ shape
        centre = (size - 1) / 2
        return np.concatenate([linear, [[self.x], [self.y]] - linear @ [[centre], [centre]]], axis=1)


class Shadow(NamedTuple):
    dx: float  # shares of the sprite's extent
    dy: float
    softness: float
    strength: float


class Laid(NamedTuple):
    """What shows of a sprite: its box in pixels (x1, y1, x2, y2) within the scene, and the share within it."""

    box: tuple[float, float, float, float]
    share: float
    mask: NDArray[np.float32]  # (h, w) of the scene, 0..1


def lay(scene: Surface, sprite: Sprite, pose: Pose, shadow: Shadow | None = None) -> Laid:
    """Draw `sprite` into `scene` (h, w, 3) in place and say what shows of it."""
    height, width = scene.shape[:2]
    matrix = pose.matrix(sprite.size)
    alpha = silhouette(sprite, pose, (height, width))
    paint = cv2.warpAffine(sprite.paint, matrix, (width, height))
    if shadow is not None:
        _cast(scene, alpha, pose.extent, shadow)
    scene *= (1 - alpha)[..., None]
    scene += paint
    return Laid(bounds(alpha), _share(sprite, pose, alpha), alpha)


def silhouette(sprite: Sprite, pose: Pose, size: tuple[int, int]) -> NDArray[np.float32]:
    """How much of each pixel of a scene of `size` (h, w) the sprite covers: (h, w) float32, 0..1."""
    alpha: NDArray[np.float32] = cv2.warpAffine(sprite.alpha, pose.matrix(sprite.size), size[::-1])
    return alpha


def _cast(scene: Surface, alpha: NDArray[np.float32], extent: float, shadow: Shadow) -> None:
    shift = np.array([[1, 0, shadow.dx * extent], [0, 1, shadow.dy * extent]])
    moved = cv2.warpAffine(alpha, shift, alpha.shape[::-1])
    soft = cv2.GaussianBlur(moved, (0, 0), max(0.5, shadow.softness * extent))
    scene *= (1 - shadow.strength * soft)[..., None]


def bounds(alpha: NDArray[np.float32], over: float = 0.4) -> tuple[float, float, float, float]:
    """The box round all pixels with alpha above `over`: x1, y1, x2, y2 in pixels, all zero where there is none."""
    columns, rows = np.flatnonzero((alpha > over).any(axis=0)), np.flatnonzero((alpha > over).any(axis=1))
    if not len(columns):
        return (0.0, 0.0, 0.0, 0.0)
    return (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def _share(sprite: Sprite, pose: Pose, alpha: NDArray[np.float32]) -> float:
    whole = float(sprite.alpha.sum()) * (pose.extent / sprite.size) ** 2 * pose.squeeze
    return float(alpha.sum()) / max(whole, 1e-6)


def cast(rng: np.random.Generator) -> Shadow:
    """A shadow of any direction, softness and strength."""
    angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.01, 0.09)
    return Shadow(
        float(np.cos(angle)) * reach,
        float(np.sin(angle)) * reach,
        rng.uniform(0.01, 0.06),
        rng.uniform(0.15, 0.6),
    )
