"""How far the results of two models for the same pictures agree, class by class and as a whole."""

import collections
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.results import Activity, Classification, Detections, Result, Segmentation, seen_part

LEAST_OVERLAP = 0.5  # of two boxes of one thing: intersection over union, as in COCO's AP50
NOTHING = -1  # the class of a picture of which nothing is said
Counts = collections.Counter[int]


class ClassShare(NamedTuple):
    """One class. share: 0..1. left, right: how many pictures, things or pixels each side gives to the class."""

    label_id: int
    share: float
    left: int
    right: int


class Agreement(NamedTuple):
    """share: 0..1, of the whole. classes: those that either side names, by number. counted: what `left` and `right`
    of a class count: "pictures", "things" or "pixels". pictures: how many were compared."""

    share: float
    classes: tuple[ClassShare, ...]
    counted: str
    pictures: int


class Tally:
    """Counts agreement picture by picture, and keeps no result.

    Classification and activity: the share of pictures of the same first class; of a class, twice the pictures
    that both give it over those that either does (F1). Pictures for which an activity has no answer yet do not
    count. Detection: F1 of things, which are the same if of one class and overlapping by half. Segmentation:
    intersection over union of a class's pixels in all pictures, and its mean over the classes that are in `left`.
    Nothing on both sides agrees fully.
    """

    def __init__(self) -> None:
        self._kind: type[Result] | None = None
        self._both: Counts = collections.Counter()
        self._lefts: Counts = collections.Counter()
        self._rights: Counts = collections.Counter()
        self.pictures = 0

    def add(self, left: Result, right: Result) -> None:
        """Two models' results for the same picture. Raises TypeError for another kind than before."""
        for result in (left, right):
            self._kind = self._kind or type(result)
            if type(result) is not self._kind:
                names = " and ".join(sorted({self._kind.__name__, type(result).__name__}))
                raise TypeError(f"results of one kind can be compared, not {names}")
        waits = [isinstance(result, Activity) and not len(result.label_ids) for result in (left, right)]
        if all(waits):
            return
        self.pictures += 1
        _ADD[type(left)](left, right, self._both, self._lefts, self._rights)

    def total(self) -> Agreement:
        """The agreement of all that was added; full where nothing was."""
        labels = sorted(self._lefts.keys() | self._rights.keys())
        both, lefts, rights = self._both, self._lefts, self._rights
        if self._kind is Segmentation:
            classes = [
                ClassShare(
                    each,
                    _part(both[each], lefts[each] + rights[each] - both[each]),
                    lefts[each],
                    rights[each],
                )
                for each in labels
            ]
            shares = [each.share for each in classes if each.left]
            return Agreement(
                sum(shares) / len(shares) if shares else 1.0, tuple(classes), "pixels", self.pictures
            )
        classes = [
            ClassShare(each, _part(2 * both[each], lefts[each] + rights[each]), lefts[each], rights[each])
            for each in labels
        ]
        share = _part(2 * both.total(), lefts.total() + rights.total())
        counted = "things" if self._kind is Detections else "pictures"
        return Agreement(share, tuple(classes), counted, self.pictures)


def agreement(left: Sequence[Result], right: Sequence[Result]) -> Agreement:
    """The agreement of two models' results for the same pictures in the same order, as Tally counts it.

    Raises ValueError for another number of results, TypeError for results of different kinds.
    """
    tally = Tally()
    for one, other in zip(left, right, strict=True):
        tally.add(one, other)
    return tally.total()


def _add_first(left: Any, right: Any, both: Counts, lefts: Counts, rights: Counts) -> None:
    ours, theirs = (int(each.label_ids[0]) if len(each.label_ids) else NOTHING for each in (left, right))
    lefts[ours] += 1
    rights[theirs] += 1
    both[ours] += ours == theirs


def _add_things(left: Detections, right: Detections, both: Counts, lefts: Counts, rights: Counts) -> None:
    lefts.update(left.label_ids.tolist())
    rights.update(right.label_ids.tolist())
    for label in set(left.label_ids.tolist()) & set(right.label_ids.tolist()):
        of_left, of_right = left.boxes[left.label_ids == label], right.boxes[right.label_ids == label]
        both[label] += len(pairs(overlaps(of_left, of_right)))


def _add_pixels(left: Segmentation, right: Segmentation, both: Counts, lefts: Counts, rights: Counts) -> None:
    ours = _seen(left)
    theirs = _alike(_seen(right), ours.shape)
    for into, classes in ((both, ours[ours == theirs]), (lefts, ours), (rights, theirs)):
        labels, counts = np.unique(classes, return_counts=True)
        into.update(dict(zip(labels.tolist(), counts.tolist(), strict=True)))


def overlaps(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float64]:
    """Intersection over union of boxes (n, 4) and (m, 4), x1, y1, x2, y2: float64 (n, m), 0..1."""
    a, b = left.astype(np.float64)[:, None], right.astype(np.float64)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    common = np.clip(sides, 0, None).prod(axis=2)
    areas = [np.clip(each[..., 2:] - each[..., :2], 0, None).prod(axis=2) for each in (a, b)]
    union = areas[0] + areas[1] - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0))


def pairs(overlap: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Rows and columns of boxes that overlap by LEAST_OVERLAP, each in one pair at most, those that overlap most
    first. overlap: (n, m), as `overlaps` gives it."""
    left, found = overlap.copy(), list[tuple[int, int]]()
    while left.size and left.max() >= LEAST_OVERLAP:
        row, column = (int(each) for each in np.unravel_index(int(left.argmax()), left.shape))
        found.append((row, column))
        left[row, :] = left[:, column] = -1.0
    return found


def _seen(result: Segmentation) -> NDArray[np.int16]:
    """The class of each pixel that shows the picture; NOTHING everywhere for an answer that was no number."""
    top, left, bottom, right = seen_part(result.mask.shape, result.placement)
    mask = result.mask[top:bottom, left:right].astype(np.int16)
    return mask if result.finite else np.full_like(mask, NOTHING)


def _alike(mask: NDArray[np.int16], shape: tuple[int, ...]) -> NDArray[np.int16]:
    """A mask of another model scaled to `shape` by nearest neighbours."""
    if mask.shape == shape:
        return mask
    rows, columns = (np.arange(new) * old // new for new, old in zip(shape, mask.shape, strict=True))
    return mask[np.ix_(rows, columns)]


def _part(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


_ADD: dict[type, Callable[..., None]] = {
    Classification: _add_first,
    Activity: _add_first,
    Detections: _add_things,
    Segmentation: _add_pixels,
}
