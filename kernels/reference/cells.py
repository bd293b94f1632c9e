"""Detectors that say where a box lies in its cell of a grid; the twins of kernels/_cells.pyx.

Every decoder writes the survivors of `threshold` into `into` from row `start` on, in the order of the
anchors, and returns the new count. Boxes are x1, y1, x2, y2 in model-input pixels and are not clipped;
input_size is (height, width) in pixels. A score survives when it is at least the threshold, as a float32; one
that is NaN or infinite, or whose box or stored landmarks are, never does.

Each raises TypeError for another dtype than float32, and ValueError for another shape, a non-contiguous
array, a threshold that is no finite number, and an `into` whose capacity would not hold every anchor.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kernels import heads
from kernels.candidates import Candidates
from kernels.reference.survivors import around, best, cells, expectation, quiet, store

Floats = NDArray[np.float32]
Size = tuple[int, int]


def decode_yolox(
    output: Floats,
    input_size: Size,
    strides: Sequence[int],
    threshold: float,
    into: Candidates,
    start: int = 0,
) -> int:
    """YOLOX (N, 5 + C): centre offsets and log sizes in cells of its grid, objectness, C class scores.

    The grids follow one another in the order of `strides`, each row by row; together they must have N cells.
    score = objectness * best class, as in `decode_yolo`.
    """
    limit, _, grids = heads.yolox(output, input_size, strides, threshold, into, start)
    with quiet():
        chosen, scores, labels = best(output[:, 5:], limit, output[:, 4])
        column, row = (each[chosen] for each in cells(grids))
        areas = [rows * columns for rows, columns in grids]
        step = np.repeat(np.array(strides, np.float32), areas)[chosen]
        dx, dy, log_width, log_height = output[chosen, :4].T
        boxes = around(
            (dx + column) * step, (dy + row) * step, np.exp(log_width) * step, np.exp(log_height) * step
        )
    return store(into, start, boxes, scores, labels)


def decode_nanodet(
    scores: Floats,
    distances: Floats,
    input_size: Size,
    stride: int,
    threshold: float,
    into: Candidates,
    start: int = 0,
) -> int:
    """One level of NanoDet: scores (n, C) 0..1 and distances (n, 4 * bins), bins >= 2, for a grid of n cells.

    The distance of each side, left, top, right, bottom, from the anchor centre is the expectation of a
    softmax over its bins, times the stride. Anchor centres lie at i * stride + (stride - 1) / 2.
    """
    limit, bins, columns = heads.nanodet(scores, distances, input_size, stride, threshold, into, start)
    with quiet():
        chosen, values, labels = best(scores, limit)
        column, row = (each[chosen] for each in cells([(len(scores) // columns, columns)]))
        middle = np.float32((stride - 1) / 2)
        x, y = column * np.float32(stride) + middle, row * np.float32(stride) + middle
        left, top, right, bottom = (
            expectation(distances[chosen].reshape(-1, 4, bins)) * np.float32(stride)
        ).T
        boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1)
    return store(into, start, boxes, values, labels)


def decode_yunet(
    cls: Floats,
    obj: Floats,
    boxes: Floats,
    landmarks: Floats,
    input_size: Size,
    stride: int,
    threshold: float,
    into: Candidates,
    start: int = 0,
) -> int:
    """One level of YuNet: cls (n, 1), obj (n, 1), boxes (n, 4), landmarks (n, 10) for a grid of n cells.

    score = sqrt(cls * obj), both clipped to 0..1; every label is 0. Centres and landmarks are offsets in
    cells from the cell's corner, sizes are logarithms. Landmarks are stored where `into` has a column for
    them.
    """
    limit, columns = heads.yunet(cls, obj, boxes, landmarks, input_size, stride, threshold, into, start)
    step = np.float32(stride)
    with quiet():
        scores = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
        chosen = np.flatnonzero(scores >= limit)
        corner = np.stack([each[chosen] for each in cells([(len(cls) // columns, columns)])], axis=1)
        x, y = ((boxes[chosen, :2] + corner) * step).T
        width, height = (np.exp(boxes[chosen, 2:]) * step).T
        points = (landmarks[chosen].reshape(-1, 5, 2) + corner[:, np.newaxis]) * step
    labels = np.zeros(len(chosen), np.int32)
    return store(into, start, around(x, y, width, height), scores[chosen], labels, points)
