"""How one raw output differs between two models of the same outputs, over the same pictures.

Numbers are compared place by place. The rows of a detector that thins its boxes out itself stand in the order of
their scores, which the least difference turns round: they are matched by class and overlap first.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.agreement import overlaps, pairs
from inference.backends import UNKNOWN, TensorSpec

COLUMNS = 7  # of OpenVINO's DetectionOutput: image, class, score, x1, y1, x2, y2
MOST_ROWS = 400  # the best of a picture; a detector gives a few hundred at most
Floats = NDArray[np.float32]


class Difference(NamedTuple):
    """How one output differs between two models, over the seeded pictures.

    largest: of |a - b|, as a part of the largest |a|; of rows of detections, the part of all scores that has no
    counterpart. first_agrees: on how many of `pictures` the largest value stands at the same place, or the best
    row has one of its class that overlaps by half.
    """

    output: str
    largest: float
    first_agrees: int
    pictures: int


def difference(spec: TensorSpec, seen: Sequence[tuple[Floats, Floats]]) -> Difference:
    """Of one output, of which `seen` has both models' answers to each picture."""
    largest, agrees = 0.0, 0
    for first, second in seen:
        if not np.isfinite(second).all() >= np.isfinite(first).all():
            return Difference(spec.name, math.inf, 0, len(seen))
        rows = [_rows(spec, each) for each in (first, second)]
        if rows[0] is not None and rows[1] is not None:
            part, same = _of_rows(rows[0], rows[1])
        elif first.shape != second.shape:
            return Difference(spec.name, math.inf, 0, len(seen))
        else:
            part, same = _of_numbers(first, second)
        largest, agrees = max(largest, part), agrees + same
    return Difference(spec.name, largest, agrees, len(seen))


def _of_numbers(first: Floats, second: Floats) -> tuple[float, bool]:
    scale = float(np.max(np.abs(first), initial=0.0)) or 1.0
    part = float(np.max(np.abs(first - second), initial=0.0)) / scale
    return part, first.size > 0 and bool(np.argmax(first) == np.argmax(second))


def _rows(spec: TensorSpec, answer: Floats) -> Floats | None:
    """The rows (n, 7) of detections, the best first; None for an output that has none."""
    shape = spec.shape
    if (
        len(shape) not in (2, 3, 4)
        or shape[-1] != COLUMNS
        or any(size not in (1, UNKNOWN) for size in shape[:-2])
    ):
        return None
    rows = answer.reshape(-1, COLUMNS)
    labels, scores = rows[:, 1], rows[:, 2]
    if (
        not np.isfinite(rows).all()
        or (labels != np.round(labels)).any()
        or ((scores < 0) | (scores > 1)).any()
    ):
        return None
    real = rows[(rows[:, 0] >= 0) & (labels >= 0) & (scores > 0)]
    return real[np.argsort(-real[:, 2], kind="stable")][:MOST_ROWS]


def _of_rows(first: Floats, second: Floats) -> tuple[float, bool]:
    """The part of all scores that is not in both, each row counting as much as it is sure; whether the best is."""
    both, best = 0.0, not len(first)
    for row, column in _matched(first, second):
        both += 2 * float(min(first[row, 2], second[column, 2]))
        best = best or row == 0
    scores = float(first[:, 2].sum() + second[:, 2].sum())
    return (max(0.0, 1 - both / scores) if scores else 0.0), best and bool(len(first) or not len(second))


def _matched(first: Floats, second: Floats) -> Iterable[tuple[int, int]]:
    """Pairs of one class that overlap by half, each row in one at most."""
    for label in np.intersect1d(first[:, 1], second[:, 1]):
        rows, columns = (np.flatnonzero(each[:, 1] == label) for each in (first, second))
        for row, column in pairs(overlaps(first[rows, 3:], second[columns, 3:])):
            yield int(rows[row]), int(columns[column])
