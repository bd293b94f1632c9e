"""What may be painted over a picture, and where: the checks that a kernel of masks or zones shares with its twin."""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import checks
from kernels.formats import Picture
from kernels.placement import Placement

CLASSES = 256  # as many as a uint8 can tell apart
FLOATS = (checks.FLOAT32, np.dtype(np.float16))
CELLS = 8  # along the longer side of a zone whose strength nobody gave
FINEST = 2


def planes(scores: NDArray[Any], out: NDArray[np.uint8]) -> None:
    """Refuse scores that are not (C, H, W) of 1..256 classes, and an `out` that is not (H, W) uint8."""
    if isinstance(scores, np.ndarray) and scores.dtype not in FLOATS:
        raise TypeError(f"scores must be float32 or float16, not {scores.dtype}")
    checks.array(scores, "scores", getattr(scores, "dtype", checks.FLOAT32), ("C", "H", "W"))
    if not 1 <= len(scores) <= CLASSES:
        raise ValueError(f"scores must have 1..{CLASSES} classes, not {len(scores)}")
    checks.output(out, "out", checks.UINT8, scores.shape[1:])


def picture(pixels: Picture, name: str = "pixels", *, writable: bool = False) -> tuple[int, int]:
    """The (height, width) of a BGR picture (height, width, 3) uint8 of at least one pixel."""
    (checks.output if writable else checks.array)(pixels, name, checks.UINT8, ("height", "width", 3))
    if pixels.size == 0:
        raise ValueError(f"a picture must not be empty, its shape is {pixels.shape}")
    return pixels.shape[0], pixels.shape[1]


def overlay(
    pixels: Picture,
    mask: NDArray[np.uint8],
    palette: NDArray[np.uint8],
    out: Picture | None,
    alpha: int,
    placement: Placement | None,
) -> tuple[float, float, float, float]:
    """Where a picture's pixel lies in the mask: scale_y, scale_x, top, left, in mask pixels."""
    height, width = picture(pixels)
    checks.array(mask, "mask", checks.UINT8, ("h", "w"))
    if mask.size == 0:
        raise ValueError(f"mask must not be empty, its shape is {mask.shape}")
    checks.array(palette, "palette", checks.UINT8, (CLASSES, "3 or 4"))
    if palette.shape[1] not in (3, 4):
        raise ValueError(f"palette must have 3 columns, or 4 with its own alpha, not {palette.shape[1]}")
    if out is not None:
        checks.output(out, "out", checks.UINT8, pixels.shape)
    if not 0 <= alpha <= 255:
        raise ValueError(f"alpha must lie in 0..255, it is {alpha}")
    if placement is None:
        return mask.shape[0] / height, mask.shape[1] / width, 0.0, 0.0
    if (placement.source_height, placement.source_width) != (height, width):
        raise ValueError(
            f"placement is that of a picture of {placement.source_height} x {placement.source_width} "
            f"(height x width), but pixels are {height} x {width}"
        )
    checks.frame_of(placement)
    return placement.scale_y, placement.scale_x, placement.top, placement.left


def zone(
    pixels: Picture, x1: int, y1: int, x2: int, y2: int, out: Picture | None
) -> tuple[Picture, tuple[int, int, int, int]]:
    """The picture to work on, which is `out` with a copy of pixels or pixels themselves, and the zone within it."""
    height, width = picture(pixels, writable=out is None)
    sides = [operator.index(side) for side in (x1, y1, x2, y2)]
    if sides[0] > sides[2] or sides[1] > sides[3]:
        raise ValueError(f"a zone must not end before it begins: x {x1}..{x2}, y {y1}..{y2}")
    if out is not None and out is not pixels:
        checks.output(out, "out", checks.UINT8, pixels.shape)
        np.copyto(out, pixels)
    x1, x2 = (min(max(side, 0), width) for side in sides[::2])
    y1, y2 = (min(max(side, 0), height) for side in sides[1::2])
    return pixels if out is None else out, (x1, y1, x2, y2)


def cell(strength: int | None, x1: int, y1: int, x2: int, y2: int) -> int:
    """The side of a mosaic's cells in pixels; for nobody's wish an eighth of the zone's longer side, 8 at least."""
    if strength is None:
        return max(CELLS, -(-max(x2 - x1, y2 - y1) // CELLS))
    side = operator.index(strength)
    if side < FINEST:
        raise ValueError(f"strength must be cells of {FINEST} pixels or more, it is {strength}")
    return side


def colour(value: Sequence[int]) -> tuple[int, int, int]:
    """B, G, R, each 0..255."""
    levels = tuple(operator.index(level) for level in value)
    if len(levels) != 3 or not all(0 <= level <= 255 for level in levels):
        raise ValueError(f"color must be blue, green and red, each 0..255, not {tuple(value)}")
    return levels[0], levels[1], levels[2]
