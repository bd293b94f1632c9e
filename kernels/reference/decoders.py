"""Detectors whose anchors tell their own boxes; the twins of kernels/_decoders.pyx. More of them: cells.py.

Every decoder writes the survivors of `threshold` into `into` from row `start` on, in the order of the
anchors, and returns the new count. Boxes are x1, y1, x2, y2 in model-input pixels and are not clipped;
input_size is (height, width) in pixels. A score survives when it is at least the threshold, as a float32; one
that is NaN or infinite, or whose box or stored landmarks are, never does.

Each raises TypeError for another dtype than float32, and ValueError for another shape, a non-contiguous
array, a threshold that is no finite number, and an `into` whose capacity would not hold every anchor.
"""

import numpy as np
from numpy.typing import NDArray

from kernels import heads
from kernels.candidates import Candidates
from kernels.reference.survivors import around, best, quiet, store

Floats = NDArray[np.float32]
Size = tuple[int, int]
LABELS_END = 2.0**31


def decode_ssd(rows: Floats, threshold: float, input_size: Size, into: Candidates, start: int = 0) -> int:
    """Rows (N, 7) of a DetectionOutput layer: image, label, score, x1, y1, x2, y2 normalised 0..1.

    The list ends at the first row whose image is negative or NaN. Labels are the model's own numbers; a row
    whose label is not a number from 0 to 2^31 - 1 is left out.
    """
    limit, height, width = heads.ssd(rows, threshold, input_size, into, start)
    listed = np.logical_and.accumulate(rows[:, 0] >= 0)
    labels = rows[:, 1]
    chosen = listed & (rows[:, 2] >= limit) & (labels >= 0) & (labels < LABELS_END)
    with quiet():
        boxes = rows[chosen, 3:] * np.array([width, height, width, height], np.float32)
    return store(into, start, boxes, rows[chosen, 2], labels[chosen].astype(np.int32))


def decode_yolo(
    output: Floats, threshold: float, into: Candidates, start: int = 0, *, transposed: bool, objectness: bool
) -> int:
    """YOLOv5-style (N, 5 + C) with objectness, v8-style (N, 4 + C) without; or their transposes (values, N).

    An anchor is cx, cy, w, h in input pixels, an objectness where it has one, and C >= 1 class scores, all
    scores 0..1. Its score is the best class, times the objectness; an objectness below the threshold is
    enough to leave the anchor out.
    """
    limit, _, classes = heads.yolo(
        output, threshold, into, start, transposed=transposed, objectness=objectness
    )
    anchors = output.T if transposed else output
    with quiet():
        chosen, scores, labels = best(anchors[:, -classes:], limit, anchors[:, 4] if objectness else None)
        boxes = around(*anchors[chosen, :4].T)
    return store(into, start, boxes, scores, labels)


def decode_scored(
    scores: Floats,
    boxes: Floats,
    input_size: Size,
    threshold: float,
    into: Candidates,
    start: int = 0,
    *,
    background: int | None = 0,
) -> int:
    """Scores (N, C) and boxes (N, 4) x1, y1, x2, y2 normalised 0..1: the best class but the background.

    Labels are numbered after the background class is left out; None says that there is none.
    """
    limit, height, width = heads.scored(scores, boxes, input_size, threshold, into, start, background)
    named = scores if background is None else np.delete(scores, background, axis=1)
    with quiet():
        chosen, values, labels = best(named, limit)
        placed = boxes[chosen] * np.array([width, height, width, height], np.float32)
    return store(into, start, placed, values, labels)
