"""What each detector's head must hand over: the checks that a compiled decoder and its NumPy twin share.

Each function refuses what the decoder of the same name cannot read, and returns the numbers that it then
works with. The threshold comes back as the float32 that scores are compared with.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kernels import checks
from kernels.candidates import Candidates
from kernels.checks import FLOAT32

Floats = NDArray[np.float32]
Size = tuple[int, int]


def ssd(
    rows: Floats, threshold: float, input_size: Size, into: Candidates, start: int
) -> tuple[float, int, int]:
    """(threshold, input height, input width)"""
    checks.array(rows, "rows", FLOAT32, ("N", 7))
    checks.capacity(into, start, len(rows))
    return checks.threshold(threshold), *checks.size(input_size)


def yolo(
    output: Floats, threshold: float, into: Candidates, start: int, *, transposed: bool, objectness: bool
) -> tuple[float, int, int]:
    """(threshold, anchors, classes)"""
    checks.array(output, "output", FLOAT32, ("values", "N") if transposed else ("N", "values"))
    values, anchors = output.shape if transposed else output.shape[::-1]
    classes = _classes("output", values, 5 if objectness else 4)
    checks.capacity(into, start, anchors)
    return checks.threshold(threshold), anchors, classes


def yolox(
    output: Floats, input_size: Size, strides: Sequence[int], threshold: float, into: Candidates, start: int
) -> tuple[float, int, list[Size]]:
    """(threshold, classes, (rows, columns) of every stride's grid)"""
    checks.array(output, "output", FLOAT32, ("N", "values"))
    classes = _classes("output", output.shape[1], 5)
    cells = _grids(input_size, strides, len(output), "output")
    checks.capacity(into, start, len(output))
    return checks.threshold(threshold), classes, cells


def nanodet(
    scores: Floats,
    distances: Floats,
    input_size: Size,
    stride: int,
    threshold: float,
    into: Candidates,
    start: int,
) -> tuple[float, int, int]:
    """(threshold, bins of each side's distribution, columns of the grid)"""
    checks.array(scores, "scores", FLOAT32, ("n", "classes"))
    _classes("scores", scores.shape[1], 0)
    checks.array(distances, "distances", FLOAT32, (len(scores), "4 * bins"))
    bins, rest = divmod(distances.shape[1], 4)
    if rest or bins < 2:
        raise ValueError(f"distances must have 4 * bins columns, of 2 bins or more, not {distances.shape[1]}")
    [(_, columns)] = _grids(input_size, (stride,), len(scores), "scores")
    checks.capacity(into, start, len(scores))
    return checks.threshold(threshold), bins, columns


def yunet(
    cls: Floats,
    obj: Floats,
    boxes: Floats,
    landmarks: Floats,
    input_size: Size,
    stride: int,
    threshold: float,
    into: Candidates,
    start: int,
) -> tuple[float, int]:
    """(threshold, columns of the grid)"""
    checks.array(cls, "cls", FLOAT32, ("n", 1))
    checks.array(obj, "obj", FLOAT32, (len(cls), 1))
    checks.array(boxes, "boxes", FLOAT32, (len(cls), 4))
    checks.array(landmarks, "landmarks", FLOAT32, (len(cls), 10))
    [(_, columns)] = _grids(input_size, (stride,), len(cls), "cls")
    checks.capacity(into, start, len(cls))
    return checks.threshold(threshold), columns


def scored(
    scores: Floats,
    boxes: Floats,
    input_size: Size,
    threshold: float,
    into: Candidates,
    start: int,
    background: int | None,
) -> tuple[float, int, int]:
    """(threshold, input height, input width)"""
    checks.array(scores, "scores", FLOAT32, ("N", "classes"))
    checks.array(boxes, "boxes", FLOAT32, (len(scores), 4))
    _classes("scores", scores.shape[1], 0 if background is None else 1)
    if background is not None and not 0 <= background < scores.shape[1]:
        raise ValueError(f"background must be one of the {scores.shape[1]} classes or None, not {background}")
    checks.capacity(into, start, len(scores))
    return checks.threshold(threshold), *checks.size(input_size)


def _classes(name: str, values: int, others: int) -> int:
    """How many of an anchor's values are class scores."""
    if values <= others:
        raise ValueError(
            f"{name} must have {others} values and at least one class score an anchor, not {values} values"
        )
    return values - others


def _grids(input_size: Size, strides: Sequence[int], anchors: int, name: str) -> list[Size]:
    """The (rows, columns) of every stride's grid, when they hold as many cells as there are anchors."""
    height, width = checks.size(input_size)
    if not strides or min(strides) < 1:
        raise ValueError(f"strides must be whole numbers of at least one, not {tuple(strides)}")
    cells = [(-(-height // stride), -(-width // stride)) for stride in strides]
    expected = sum(rows * columns for rows, columns in cells)
    if anchors != expected:
        told = ", ".join(str(stride) for stride in strides)
        raise ValueError(
            f"{name} must have {expected} rows for an input of {height} x {width} (height x width) "
            f"at stride {told}, not {anchors}"
        )
    return cells
