"""What a racer's policy is shown: which source pixels each of its pixels is made of, and what `observe` refuses."""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels import checks, painting
from kernels.formats import Picture

MODES = ("training", "stock")
PRECISION = 22  # bits of a weight behind the point, as Pillow has them
DTYPES = (checks.UINT8, checks.FLOAT32)
Views = Picture | tuple[Picture, Picture]


class Side(NamedTuple):
    """One side of an observation: pixel i is made of taps[i] source pixels from first[i] on."""

    first: NDArray[np.int32]  # (n,)
    taps: NDArray[np.int32]  # (n,)
    weights: NDArray[np.int32]  # (n, most): of 2 ** PRECISION, and 0 from taps[i] on


class Target(NamedTuple):
    """Where the gray pixels go, in items of `out`."""

    height: int
    width: int
    row: int
    step: int
    view: int  # from the left eye's first pixel to the right eye's


def target(pixels: Views, out: NDArray[Any], mode: str) -> tuple[tuple[Picture, ...], Target]:
    """Check everything that `observe` was given."""
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    views = pixels if isinstance(pixels, tuple) else (pixels,)
    if len(views) not in (1, 2):
        raise ValueError(f"pixels must be one picture, or a left and a right one, not {len(views)}")
    for view in views:
        painting.picture(view)
    return views, _planar_or_interleaved(out, len(views))


def _planar_or_interleaved(out: NDArray[Any], views: int) -> Target:
    shape = (
        ("height", "width")
        if views == 1
        else ("height", "width", "2")
        if _last_is_two(out)
        else (2, "height", "width")
    )
    if isinstance(out, np.ndarray) and out.dtype not in DTYPES:
        raise TypeError(f"out must be uint8 or float32, not {out.dtype}")
    checks.output(out, "out", getattr(out, "dtype", checks.UINT8), shape)
    height, width = out.shape[1:] if shape[0] == 2 else out.shape[:2]
    if height == 0 or width == 0:
        raise ValueError(f"out must not be empty, its shape is {out.shape}")
    if shape[0] == 2:
        return Target(height, width, width, 1, height * width)
    return Target(height, width, width * views, views, 1)


def _last_is_two(out: NDArray[Any]) -> bool:
    return isinstance(out, np.ndarray) and out.ndim == 3 and out.shape[2] == 2


@lru_cache(maxsize=64)
def antialiased(source: int, length: int) -> Side:
    """Pillow's bilinear: a triangle as wide as two source pixels, or as two of the target's where those are wider."""
    scale = source / length
    support = max(scale, 1.0)
    sides = [_triangle((place + 0.5) * scale, support, source) for place in range(length)]
    return _side([first for first, _ in sides], [weights for _, weights in sides])


def _triangle(centre: float, support: float, source: int) -> tuple[int, list[float]]:
    """The first source pixel under a triangle, and the share of each; in Pillow's order of operations."""
    first = max(int(centre - support + 0.5), 0)
    end = min(int(centre + support + 0.5), source)
    inverse = 1.0 / support
    heights = [max(1.0 - abs((place + first - centre + 0.5) * inverse), 0.0) for place in range(end - first)]
    total = 0.0
    for height in heights:
        total += height
    return first, [height / total for height in heights]


@lru_cache(maxsize=64)
def linear(source: int, length: int) -> Side:
    """cv2.INTER_LINEAR: the two nearest source pixels, weighted by 11 bits, edges repeated."""
    scale = source / length
    places = [(place + 0.5) * scale - 0.5 for place in range(length)]
    first = [min(max(math.floor(place), 0), source - 1) for place in places]
    shares = [
        min(max(place - start, 0.0), 1.0) if start + 1 < source else 0.0
        for place, start in zip(places, first, strict=True)
    ]
    coarse = [round(share * 2048) / 2048 for share in shares]
    return _side(first, [[1 - share, share] if share else [1.0] for share in coarse])


def _side(first: list[int], shares: list[list[float]]) -> Side:
    weights = np.zeros((len(shares), max(map(len, shares))), np.int32)
    for row, each in zip(weights, shares, strict=True):
        row[: len(each)] = [int(0.5 + share * (1 << PRECISION)) for share in each]
    side = Side(np.array(first, np.int32), np.array([len(each) for each in shares], np.int32), weights)
    for array in side:
        array.flags.writeable = False
    return side
