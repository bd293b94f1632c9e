"""What the kernels that measure masks share with their twins: what they refuse."""

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import checks
from kernels.painting import CLASSES

INT64 = np.dtype(np.int64)
Part = tuple[int, int, int, int]


def part(mask: NDArray[Any], wanted: Part, out: NDArray[Any]) -> Part:
    """Top, left, bottom and right of a part that lies within a mask (h, w); bottom and right are just outside."""
    checks.array(mask, "mask", checks.UINT8, ("h", "w"))
    checks.output(out, "out", INT64, (CLASSES,))
    top, left, bottom, right = (operator.index(side) for side in wanted)
    height, width = mask.shape
    if not (0 <= top <= bottom <= height and 0 <= left <= right <= width):
        raise ValueError(
            f"part must be top, left, bottom and right within a mask of {height} x {width}, not {tuple(wanted)}"
        )
    return top, left, bottom, right


def side_by_side(scores: NDArray[Any], out: NDArray[Any]) -> None:
    """Refuse scores that are not (H, W, C) float32 of 1..256 classes, and an `out` that is not (H, W) uint8."""
    checks.array(scores, "scores", checks.FLOAT32, ("H", "W", "C"))
    if not 1 <= scores.shape[2] <= CLASSES:
        raise ValueError(f"scores must have 1..{CLASSES} classes, not {scores.shape[2]}")
    checks.output(out, "out", checks.UINT8, scores.shape[:2])
