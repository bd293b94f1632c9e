"""Measures of masks: intersection over union over many pictures, and the nearest-colour baseline. NumPy only."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Tally:
    """Counts, over all pixels of all pictures, what was said against what is true."""

    def __init__(self, classes: int) -> None:
        self._counts = np.zeros((classes, classes), np.int64)

    def add(self, said: NDArray[Any], truth: NDArray[Any]) -> None:
        """Two masks of one shape, of the numbers of the classes."""
        classes = len(self._counts)
        pairs = truth.ravel().astype(np.int64) * classes + said.ravel()
        self._counts += np.bincount(pairs, minlength=classes**2).reshape(classes, classes)

    @property
    def overlaps(self) -> list[float]:
        """Of each class intersection over union, 0..1."""
        both = np.diag(self._counts)
        united = self._counts.sum(axis=0) + self._counts.sum(axis=1) - both
        return [float(share) for share in both / np.maximum(united, 1)]

    @property
    def mean(self) -> float:
        return float(np.mean(self.overlaps))

    @property
    def right(self) -> float:
        """The share of pixels that were called what they are."""
        return float(np.diag(self._counts).sum() / max(1, self._counts.sum()))


def colours(
    shown: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]], classes: int
) -> NDArray[np.float64]:
    """(classes, 3): the mean colour of each class over pictures (h, w, 3) and their masks (h, w)."""
    sums, counts = np.zeros((classes, 3)), np.zeros((classes, 1))
    for picture, mask in shown:
        for label in range(classes):
            where = mask == label
            sums[label] += picture[where].sum(axis=0, dtype=np.float64)
            counts[label] += where.sum()
    means: NDArray[np.float64] = sums / np.maximum(counts, 1)
    return means


def nearest_colour(known: NDArray[np.float64], picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(h, w): for each pixel the class whose mean colour is nearest."""
    away = ((picture[:, :, None].astype(np.float64) - known) ** 2).sum(axis=3)
    nearest: NDArray[np.int64] = away.argmin(axis=2)
    return nearest
