"""What all decoders share in NumPy: the best class, the grid's cells, and storing what survives."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kernels.candidates import Candidates

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Chosen = NDArray[np.intp]


def quiet() -> np.errstate:
    """Overflow and NaN are expected in a model's output and sorted out when survivors are stored."""
    return np.errstate(over="ignore", invalid="ignore")


def best(classes: Floats, threshold: float, objectness: Floats | None = None) -> tuple[Chosen, Floats, Ints]:
    """The anchors that survive, their scores and their labels, from class scores (n, C).

    The first of equal classes wins and a NaN never does. An objectness (n,) multiplies the score, and one
    below the threshold is enough to leave its anchor out: class scores are probabilities.
    """
    known = np.where(np.isnan(classes), np.float32(-np.inf), classes)
    labels = known.argmax(axis=1).astype(np.int32)
    scores = known[np.arange(len(known)), labels]
    alive = np.ones(len(scores), np.bool_)
    if objectness is not None:
        alive = objectness >= threshold
        scores = scores * objectness
    chosen = np.flatnonzero(alive & (scores >= threshold))
    return chosen, scores[chosen], labels[chosen]


def cells(grids: Sequence[tuple[int, int]]) -> tuple[Floats, Floats]:
    """The column and the row of every cell of every grid of (rows, columns), row by row."""
    places = [np.indices(grid, np.float32).reshape(2, -1) for grid in grids]
    row, column = np.concatenate(places, axis=1)
    return column, row


def around(x: Floats, y: Floats, width: Floats, height: Floats) -> Floats:
    """Boxes (n, 4) from centres and sizes, each (n,)."""
    half_width, half_height = width * np.float32(0.5), height * np.float32(0.5)
    return np.stack([x - half_width, y - half_height, x + half_width, y + half_height], axis=1)


def expectation(bins: Floats) -> Floats:
    """The mean bin (n, 4) of a softmax over the last axis of (n, 4, bins)."""
    weights = np.exp(bins - bins.max(axis=2, keepdims=True))
    mean: Floats = weights @ np.arange(bins.shape[2], dtype=np.float32) / weights.sum(axis=2)
    return mean


def store(
    into: Candidates, start: int, boxes: Floats, scores: Floats, labels: Ints, landmarks: Floats | None = None
) -> int:
    """Write the rows whose numbers are all finite from row `start` on; the new count."""
    finite = np.isfinite(scores) & np.isfinite(boxes).all(axis=1)
    if landmarks is not None and into.landmarks is not None:
        finite &= np.isfinite(landmarks).all(axis=(1, 2))
        into.landmarks[start : start + finite.sum()] = landmarks[finite]
    end = start + int(finite.sum())
    into.boxes[start:end] = boxes[finite]
    into.scores[start:end] = scores[finite]
    into.labels[start:end] = labels[finite]
    return end
