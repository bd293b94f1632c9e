"""How good answers are: top-1, the nearest-mean-colour baseline, average precision. NumPy only."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Boxes(NamedTuple):
    """Boxes of a picture: corners (n, 4) x1, y1, x2, y2 in any one unit, labels (n,), scores (n,) or None for truth."""

    corners: NDArray[np.float32]
    labels: NDArray[np.int32]
    scores: NDArray[np.float32] | None = None


def top_1(answers: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """The share of right answers, 0..1."""
    return float((answers == labels).mean())


def mean_colours(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(n, h, w, 3) to (n, 3)."""
    means: NDArray[np.float64] = pictures.reshape(len(pictures), -1, 3).mean(axis=1)
    return means


def nearest_mean_colour(
    known: NDArray[np.float64], labels: NDArray[np.int64], asked: NDArray[np.float64]
) -> NDArray[np.int64]:
    """For each mean colour `asked` (m, 3) the label whose `known` (n, 3) mean colours lie nearest in the mean."""
    centres = np.stack([known[labels == label].mean(axis=0) for label in np.unique(labels)])
    nearest: NDArray[np.int64] = np.linalg.norm(asked[:, None] - centres, axis=2).argmin(axis=1)
    return nearest


def overlaps(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of each of `a` (n, 4) with each of `b` (m, 4): (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=2)
    area_a, area_b = np.prod(a[:, 2:] - a[:, :2], axis=1), np.prod(b[:, 2:] - b[:, :2], axis=1)
    shares: NDArray[np.float32] = common / np.maximum(area_a[:, None] + area_b - common, 1e-9)
    return shares


def mean_average_precision(found: list[Boxes], truth: list[Boxes], classes: int, iou: float = 0.5) -> float:
    """The mean over classes of the area under precision and recall, all points, at one overlap."""
    return float(np.mean([average_precision(found, truth, label, iou) for label in range(classes)]))


def average_precision(found: list[Boxes], truth: list[Boxes], label: int, iou: float = 0.5) -> float:
    """The area under the curve for one class; `found` and `truth` have one entry for each picture, in one order."""
    scores: list[float] = []
    hits: list[bool] = []
    for got, real in zip(found, truth, strict=True):
        picture_scores, picture_hits = _matched(got, real, label, iou)
        scores.extend(picture_scores)
        hits.extend(picture_hits)
    wanted = sum(int((real.labels == label).sum()) for real in truth)
    return _area(np.array(scores), np.array(hits, bool), wanted)


def _matched(got: Boxes, real: Boxes, label: int, iou: float) -> tuple[list[float], list[bool]]:
    """Each answer of the class, best first, with whether it is the first to meet a true box."""
    mine = np.flatnonzero(got.labels == label)
    mine = mine[np.argsort(-got.scores[mine], kind="stable")]
    shares = overlaps(got.corners[mine], real.corners[real.labels == label])
    hits = []
    for row in shares:
        best = int(row.argmax()) if row.size else -1
        hit = best >= 0 and row[best] >= iou
        if hit:
            shares[:, best] = -1
        hits.append(bool(hit))
    return got.scores[mine].tolist(), hits


def _area(scores: NDArray[np.float64], hits: NDArray[np.bool_], wanted: int) -> float:
    if not wanted or not len(scores):
        return 0.0
    hits = hits[np.argsort(-scores, kind="stable")]
    true = np.cumsum(hits)
    precision = true / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    recall = true / wanted
    return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * precision))


def above(boxes: Boxes, threshold: float) -> Boxes:
    """The boxes that score at least `threshold`."""
    kept = boxes.scores >= threshold
    return Boxes(boxes.corners[kept], boxes.labels[kept], boxes.scores[kept])


def hits(found: list[Boxes], truth: list[Boxes], iou: float = 0.5) -> tuple[float, float]:
    """Precision and recall over all pictures and classes; a box of the wrong class is a miss and a false find."""
    right = claimed = wanted = 0
    for got, real in zip(found, truth, strict=True):
        claimed, wanted = claimed + len(got.labels), wanted + len(real.labels)
        for label in np.unique(real.labels):
            right += sum(_matched(got, real, int(label), iou)[1])
    return right / max(claimed, 1), right / max(wanted, 1)
