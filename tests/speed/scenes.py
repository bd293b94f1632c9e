"""Pictures to measure with: what a camera sees has areas, edges and noise."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def scene(height: int, width: int) -> Pixels:
    """BGR (height, width, 3): coloured patches with soft and hard edges, and the noise of a sensor."""
    rng = np.random.default_rng(height * width)
    coarse = rng.integers(0, 256, (height // 40 + 1, width // 40 + 1, 3), np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    hard = cv2.resize(coarse[::-1], (width, height), interpolation=cv2.INTER_NEAREST)
    mixed = np.where(np.arange(width)[np.newaxis, :, np.newaxis] % 400 < 200, smooth, hard)
    noise = rng.integers(-6, 7, mixed.shape, np.int16)
    return np.clip(mixed.astype(np.int16) + noise, 0, 255).astype(np.uint8)


def soft(height: int, width: int) -> Pixels:
    """The same as a lens shows it, without the noise of single pixels."""
    return np.asarray(cv2.GaussianBlur(scene(height, width), (0, 0), 1.5), np.uint8)


def yuyv(pixels: Pixels) -> Pixels:
    """(height, width, 2)."""
    return np.ascontiguousarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2YUV_YUY2))


def nv12(pixels: Pixels) -> Pixels:
    """(height * 3 / 2, width), of what I420 has in three planes."""
    height, width = pixels.shape[:2]
    planes = cv2.cvtColor(pixels, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    luma, colours = planes[: height * width], planes[height * width :].reshape(2, -1)
    return np.concatenate([luma, colours.T.reshape(-1)]).reshape(height * 3 // 2, width)


def written_again(pixels: Pixels) -> Callable[[], None]:
    """Writes the same picture into its place, as a camera or a decoder does with the next."""
    kept = pixels.copy()
    return lambda: np.copyto(pixels, kept)
