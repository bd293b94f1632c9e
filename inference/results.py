"""What a model said of one picture: frozen (its arrays, too), columnar, owned, and ignorant of who made it."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.placement import Placement
from kernels.runs import encode_runs

Row = dict[str, Any]
DECIMALS = 4
NOBODY = -1  # the class of an activity where none is shown
UNTRACKED = 0
MOST_COUNTS = 30_000  # of all masks of a message together; a finer mask is halved until it has no more


class Timings(NamedTuple):
    """Seconds that each stage took for one picture.

    With several requests under way `infer` runs from the start of the request to its being collected, so it
    holds the wait for its turn too. It is 0.0 for a picture for which the model had nothing to run.
    """

    prepare: float = 0.0
    infer: float = 0.0
    interpret: float = 0.0


NO_TIME = Timings()


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """The likeliest classes, best first.

    label_ids: int32 (k,). scores: float32 (k,), 0..1 where the model gives probabilities. finite: False for an
    answer that was no number, which says nothing: it has no classes.
    Raises TypeError and ValueError for arrays of another dtype or shape.
    """

    label_ids: NDArray[np.int32]
    scores: NDArray[np.float32]
    timings: Timings = NO_TIME
    finite: bool = True

    def __post_init__(self) -> None:
        count = _count(self.scores)
        _check("scores", self.scores, np.float32, (count,))
        _check("label_ids", self.label_ids, np.int32, (count,))

    def rows(self, labels: Sequence[str]) -> list[Row]:
        """Message rows of plain Python values, best first: `{"label", "label_id", "score"}`."""
        scores = [round(score, DECIMALS) for score in self.scores.tolist()]  # of few quicker than in NumPy
        return [
            {"label": label_name(labels, label), "label_id": label, "score": score}
            for label, score in zip(self.label_ids.tolist(), scores, strict=True)
        ]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Things found, best first.

    boxes: float32 (n, 4), x1, y1, x2, y2 as parts (0..1) of the picture's width and height.
    scores: float32 (n,), 0..1. label_ids: int32 (n,).
    landmarks: float32 (n, 5, 2), x, y as such parts (a little outside 0..1 where a face is cut), or None.
    track_ids: int32 (n,), which track a thing belongs to, 1 and up, 0 for none yet; None where nothing is tracked.
    alive: int32 (m,), the tracks that live, ascending, seen in this picture or out of sight for a while; or None.
    finite: True; boxes and scores that are no numbers are never among the results.
    Raises TypeError and ValueError for arrays of another dtype or shape.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    label_ids: NDArray[np.int32]
    landmarks: NDArray[np.float32] | None = None
    timings: Timings = NO_TIME
    track_ids: NDArray[np.int32] | None = None
    alive: NDArray[np.int32] | None = None
    finite: bool = True

    def __post_init__(self) -> None:
        count = _count(self.scores)
        _check("scores", self.scores, np.float32, (count,))
        _check("boxes", self.boxes, np.float32, (count, 4))
        _check("label_ids", self.label_ids, np.int32, (count,))
        if self.landmarks is not None:
            _check("landmarks", self.landmarks, np.float32, (count, 5, 2))
        if self.track_ids is not None:
            _check("track_ids", self.track_ids, np.int32, (count,))
        if self.alive is not None:
            _check("alive", self.alive, np.int32, (len(self.alive),))

    def rows(self, labels: Sequence[str]) -> list[Row]:
        """Message rows of plain Python values, best first.

        `{"label", "label_id", "score", "box": [x1, y1, x2, y2]}`, `"landmarks": [[x, y], ...]` where there
        are, and `"track_id"` where the thing belongs to a track.
        """
        columns = zip(self.label_ids.tolist(), _rounded(self.scores), _rounded(self.boxes), strict=True)
        rows: list[Row] = [
            {"label": label_name(labels, label), "label_id": label, "score": score, "box": box}
            for label, score, box in columns
        ]
        if self.landmarks is not None:
            for row, points in zip(rows, _rounded(self.landmarks), strict=True):
                row["landmarks"] = points
        if self.track_ids is not None:
            for row, track in zip(rows, self.track_ids.tolist(), strict=True):
                if track != UNTRACKED:
                    row["track_id"] = track
        return rows


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """What each part of the picture is.

    mask: uint8 (h, w), the class of each pixel of the model's output. placement: where the picture lies in the
    mask (kernels.Placement, in pixels of the mask). label_ids: int32 (k,), the classes that are there, the largest
    first. areas: float32 (k,), how much of the picture each covers, 0..1; a letterbox's border is no part of it, and
    what a crop leaves out belongs to no class. with_mask: whether message rows carry the mask. finite: False for an
    answer that was no number, which says nothing: it has no classes.
    Raises TypeError and ValueError for arrays of another dtype or shape.
    """

    mask: NDArray[np.uint8]
    placement: Placement
    label_ids: NDArray[np.int32]
    areas: NDArray[np.float32]
    timings: Timings = NO_TIME
    with_mask: bool = False
    finite: bool = True

    def __post_init__(self) -> None:
        count = _count(self.areas)
        _check("areas", self.areas, np.float32, (count,))
        _check("label_ids", self.label_ids, np.int32, (count,))
        if self.mask.ndim != 2:
            raise ValueError(f"mask must have the shape (h, w), not {self.mask.shape}")
        _check("mask", self.mask, np.uint8, self.mask.shape)

    def rows(self, labels: Sequence[str]) -> list[Row]:
        """Message rows of plain Python values, the largest first: `{"label", "label_id", "area"}`.

        With the mask each has `"mask": {"size": [h, w], "box": [x1, y1, x2, y2], "counts": [...]}` too: which
        pixels are of the class, as kernels.runs tells, and which part of the picture they cover.
        """
        rows: list[Row] = [
            {"label": label_name(labels, label), "label_id": label, "area": area}
            for label, area in zip(self.label_ids.tolist(), _rounded(self.areas), strict=True)
        ]
        if self.with_mask and rows:
            self._add_masks(rows)
        return rows

    def _add_masks(self, rows: list[Row]) -> None:
        top, left, bottom, right = seen_part(self.mask.shape, self.placement)
        box = frame_box((top, left, bottom, right), self.placement)
        mask = self.mask[top:bottom, left:right]
        masks = encode_runs(mask, self.label_ids.tolist())
        while sum(map(len, masks)) > MOST_COUNTS:
            mask = mask[::2, ::2]
            masks = encode_runs(mask, self.label_ids.tolist())
        for row, counts in zip(rows, masks, strict=True):
            row["mask"] = {"size": list(mask.shape), "box": box, "counts": counts}


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """What is going on, as far as the last pictures of a source tell.

    label_ids: int32 (k,), the likeliest classes, best first; none until as many pictures were seen as the model
    looks at together. scores: float32 (k,), 0..1, averaged over the last answers.
    shown: the class that has held long enough to be told, NOBODY (-1) for none. shown_score: its score now.
    finite: False where the newest answer was no number, which then counts for nothing.
    Raises TypeError and ValueError for arrays of another dtype or shape.
    """

    label_ids: NDArray[np.int32]
    scores: NDArray[np.float32]
    shown: int = NOBODY
    shown_score: float = 0.0
    timings: Timings = NO_TIME
    finite: bool = True

    def __post_init__(self) -> None:
        count = _count(self.scores)
        _check("scores", self.scores, np.float32, (count,))
        _check("label_ids", self.label_ids, np.int32, (count,))

    def rows(self, labels: Sequence[str]) -> list[Row]:
        """The message row of the class that is shown, `{"label", "label_id", "score"}`; none for none."""
        if self.shown == NOBODY:
            return []
        score = round(self.shown_score, DECIMALS)
        return [{"label": label_name(labels, self.shown), "label_id": self.shown, "score": score}]


Result = Classification | Detections | Segmentation | Activity


def seen_part(size: tuple[int, ...], placement: Placement) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of the pixels of a mask (h, w) whose middles lie in the picture, one at least."""
    top, bottom = _inside(size[0], placement.top, placement.scale_y * placement.source_height)
    left, right = _inside(size[1], placement.left, placement.scale_x * placement.source_width)
    return top, left, bottom, right


def _inside(side: int, start: float, length: float) -> tuple[int, int]:
    first = min(max(0, math.ceil(start - 0.5)), side - 1)
    return first, max(first + 1, min(side, math.ceil(start + length - 0.5)))


def frame_box(part: tuple[int, int, int, int], placement: Placement) -> list[float]:
    """A part of the mask (top, left, bottom, right) as x1, y1, x2, y2 in shares of the picture.

    It may reach beyond 0..1, by less than a pixel of the mask, where the border of a letterbox cuts through one.
    """
    top, left, bottom, right = part
    across = placement.scale_x * placement.source_width
    down = placement.scale_y * placement.source_height
    x1, x2 = ((side - placement.left) / across for side in (left, right))
    y1, y2 = ((side - placement.top) / down for side in (top, bottom))
    return [round(side, DECIMALS) for side in (x1, y1, x2, y2)]


def label_name(labels: Sequence[str], label: int) -> str:
    """The name of a class, or its number as text where no name is known."""
    return labels[label] if 0 <= label < len(labels) else str(label)


def _rounded(values: NDArray[np.float32]) -> Any:
    """Nested lists of floats; rounded as float64, so that 0.97 is not written 0.9700000286."""
    return values.astype(np.float64).round(DECIMALS).tolist()


def _count(scores: NDArray[np.float32]) -> int:
    if scores.ndim != 1:
        raise ValueError(f"scores must have one dimension, not the shape {scores.shape}")
    return len(scores)


def _check(name: str, array: NDArray[Any], dtype: type, shape: tuple[int, ...]) -> None:
    if array.dtype != dtype:
        raise TypeError(f"{name} must be {np.dtype(dtype)}, not {array.dtype}")
    if array.shape != shape:
        raise ValueError(
            f"{name} must have the shape {shape}, as there are {shape[0]} scores, not {array.shape}"
        )
    array.flags.writeable = False
