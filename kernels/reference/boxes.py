"""Choosing among boxes, and mapping them back to the frame; the twins of kernels/_boxes.pyx."""

import numpy as np
from numpy.typing import NDArray

from kernels import checks
from kernels.candidates import Candidates
from kernels.placement import Placement
from kernels.reference.survivors import quiet

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


def nms(
    into: Candidates,
    count: int,
    iou: float,
    *,
    limit: int | None = None,
    by_class: bool = True,
    keep: Ints | None = None,
) -> Ints:
    """Greedy non-maximum suppression of the first `count` rows: the int32 indices of the boxes kept.

    They come by descending score, equal ones by the lower index, a NaN last; at most `limit` of them. A box
    is suppressed by a kept one of the same label (of any label with by_class=False) when their intersection
    over union is above `iou`, as in cv2.dnn.NMSBoxesBatched and torchvision. A box without an area overlaps
    nothing. `keep` is int32 (capacity,) scratch of at least `count`, of which the result is then a view.

    Raises TypeError for another dtype, ValueError for a count beyond the capacity, a negative limit, an iou
    outside 0..1, or a `keep` that is too short or read-only.
    """
    keep, limit = checks.suppression(into, count, iou, limit, keep)
    order = np.argsort(-into.scores[:count], kind="stable")  # NaN sorts last
    boxes, labels = into.boxes[order], into.labels[order]
    alive = np.ones(count, np.bool_)
    kept = 0
    for place in range(count):
        if kept == limit:
            break
        if alive[place]:
            keep[kept] = order[place]
            kept += 1
            rivals = alive if not by_class else alive & (labels == labels[place])
            alive &= ~(rivals & _overlaps(boxes[place], boxes, np.float32(iou)))
    return keep[:kept]


def _overlaps(box: Floats, others: Floats, iou: np.float32) -> NDArray[np.bool_]:
    """Whether the IoU of each of `others` (n, 4) with one box is above `iou`; without a division."""
    with quiet():
        width = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
        height = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        united = _area(box[np.newaxis])[0] + _area(others) - shared
        above: NDArray[np.bool_] = (shared > iou * united) & (shared > 0)
    return above


def _area(boxes: Floats) -> Floats:
    area: Floats = np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0)
    return area


def boxes_to_frame(boxes: Floats, placement: Placement, out: Floats | None = None) -> Floats:
    """Map boxes (K, 4) x1, y1, x2, y2 from input pixels to the source frame, normalised and clipped to 0..1.

    A NaN becomes 0. Returns `out`, float32 (K, 4), or a new array; `out` may be `boxes` itself.
    Raises TypeError for another dtype, ValueError for another shape or a read-only `out`.
    """
    checks.array(boxes, "boxes", checks.FLOAT32, ("K", 4))
    out = checks.room(out, "out", checks.FLOAT32, boxes.shape)
    mapped = _to_frame(boxes.reshape(-1, 2, 2), placement).reshape(-1, 4)
    out[...] = np.clip(np.where(np.isnan(mapped), 0, mapped), 0, 1)
    return out


def points_to_frame(points: Floats, placement: Placement, out: Floats | None = None) -> Floats:
    """Map points (K, P, 2) x, y from input pixels to the source frame, 0..1 being inside; none is clipped.

    Returns `out`, float32 (K, P, 2), or a new array; `out` may be `points` itself. Raises as
    `boxes_to_frame`.
    """
    checks.array(points, "points", checks.FLOAT32, ("K", "P", 2))
    out = checks.room(out, "out", checks.FLOAT32, points.shape)
    out[...] = _to_frame(points, placement)
    return out


def _to_frame(points: Floats, placement: Placement) -> Floats:
    corner, step = checks.frame_of(placement)
    with quiet():
        mapped: Floats = ((points - np.array(corner)) * np.array(step)).astype(np.float32)
    return mapped
