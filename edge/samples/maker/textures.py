"""Fields of noise: float32 (h, w), zero mean, about unit deviation."""

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def clouds(rng: np.random.Generator, size: tuple[int, int], cells: float, stretch: float = 1.0) -> Field:
    """Smooth noise with about `cells` bumps over the height; `stretch` above 1 draws them out along x."""
    height, width = size
    rows = max(2, round(cells))
    columns = max(2, round(cells * width / height / stretch))
    grid = rng.standard_normal((rows, columns)).astype(np.float32)
    field: Field = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return field


def fractal(
    rng: np.random.Generator, size: tuple[int, int], cells: float = 3, octaves: int = 4, fall: float = 0.6
) -> Field:
    """Clouds upon clouds, each octave twice as fine and `fall` times as strong: what 1/f pictures look like."""
    total = np.zeros(size, np.float32)
    weight = 1.0
    for octave in range(octaves):
        total += weight * clouds(rng, size, cells * 2**octave)
        weight *= fall
    return total / float(np.sqrt(sum(fall ** (2 * i) for i in range(octaves))))


def ridges(rng: np.random.Generator, size: tuple[int, int], cells: float) -> Field:
    """Creases: sharp lines where smooth noise changes its sign."""
    field = clouds(rng, size, cells)
    crease = 1 - 2 * np.minimum(np.abs(field), 1)
    return (crease - crease.mean()).astype(np.float32)


def slope(field: Field, angle: float) -> Field:
    """How steeply `field` rises towards `angle` (degrees), scaled to unit deviation: light on a crumpled sheet."""
    dx = cv2.Sobel(field, cv2.CV_32F, 1, 0)
    dy = cv2.Sobel(field, cv2.CV_32F, 0, 1)
    lit = dx * np.cos(np.radians(angle)) + dy * np.sin(np.radians(angle))
    return (lit / max(float(lit.std()), 1e-6)).astype(np.float32)
