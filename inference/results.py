"""What a model said of one picture: frozen (its arrays, too), columnar, owned, and ignorant of who made it."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Row = dict[str, Any]
DECIMALS = 4


class Timings(NamedTuple):
    """Seconds that each stage took for one picture.

    With several requests under way `infer` runs from the start of the request to its being collected, so it
    holds the wait for its turn too.
    """

    prepare: float = 0.0
    infer: float = 0.0
    interpret: float = 0.0


NO_TIME = Timings()


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """The likeliest classes, best first.

    label_ids: int32 (k,). scores: float32 (k,), 0..1 where the model gives probabilities.
    Raises TypeError and ValueError for arrays of another dtype or shape.
    """

    label_ids: NDArray[np.int32]
    scores: NDArray[np.float32]
    timings: Timings = NO_TIME

    def __post_init__(self) -> None:
        count = _count(self.scores)
        _check("scores", self.scores, np.float32, (count,))
        _check("label_ids", self.label_ids, np.int32, (count,))

    def rows(self, labels: Sequence[str]) -> list[Row]:
        """Message rows of plain Python values, best first: `{"label", "label_id", "score"}`."""
        return [
            {"label": label_name(labels, label), "label_id": label, "score": score}
            for label, score in zip(self.label_ids.tolist(), _rounded(self.scores), strict=True)
        ]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Things found, best first.

    boxes: float32 (n, 4), x1, y1, x2, y2 as parts (0..1) of the picture's width and height.
    scores: float32 (n,), 0..1. label_ids: int32 (n,).
    landmarks: float32 (n, 5, 2), x, y as such parts (a little outside 0..1 where a face is cut), or None.
    Raises TypeError and ValueError for arrays of another dtype or shape.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    label_ids: NDArray[np.int32]
    landmarks: NDArray[np.float32] | None = None
    timings: Timings = NO_TIME

    def __post_init__(self) -> None:
        count = _count(self.scores)
        _check("scores", self.scores, np.float32, (count,))
        _check("boxes", self.boxes, np.float32, (count, 4))
        _check("label_ids", self.label_ids, np.int32, (count,))
        if self.landmarks is not None:
            _check("landmarks", self.landmarks, np.float32, (count, 5, 2))

    def rows(self, labels: Sequence[str]) -> list[Row]:
        """Message rows of plain Python values, best first.

        `{"label", "label_id", "score", "box": [x1, y1, x2, y2]}`, and `"landmarks": [[x, y], ...]` where
        there are.
        """
        columns = zip(self.label_ids.tolist(), _rounded(self.scores), _rounded(self.boxes), strict=True)
        rows: list[Row] = [
            {"label": label_name(labels, label), "label_id": label, "score": score, "box": box}
            for label, score, box in columns
        ]
        if self.landmarks is not None:
            for row, points in zip(rows, _rounded(self.landmarks), strict=True):
                row["landmarks"] = points
        return rows


Result = Classification | Detections


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
