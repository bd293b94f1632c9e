"""What a tracker's kernels share with their twins: how a track's state is laid out, what is refused.

A state is twenty float64: four measures (centre x, centre y, width / height, height), their velocities a picture,
and of each measure the variance, the covariance with its velocity, and the velocity's variance. That is the filter
of eight dimensions of ByteTrack and DeepSORT without its zeros: its matrices couple each measure with its own
velocity alone. Lengths are in any unit that is the same across and down, such as pixels or heights of the picture.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import checks

STATE = 20
POSITION = (
    1.0 / 20.0
)  # standard deviation of where a thing is, in its heights (DeepSORT's, taken by ByteTrack)
VELOCITY = 1.0 / 160.0  # of how it moves, in its heights a picture
SHAPE = 1e-2  # of width / height, at birth and from picture to picture
SHAPE_MEASURED = 1e-1  # of width / height as a detector tells it
SHAPE_VELOCITY = 1e-5
FLOAT64 = np.dtype(np.float64)


def states(value: NDArray[Any]) -> int:
    """How many states there are in a writable (N, 20) float64."""
    checks.output(value, "states", FLOAT64, ("N", STATE))
    return len(value)


def pairs(
    value: NDArray[Any], places: NDArray[Any], boxes: NDArray[Any], picks: NDArray[Any]
) -> tuple[int, int]:
    """Refuse what does not pair states with boxes: places (K,) among N states, picks (K,) among M boxes (M, 4)."""
    held = states(value)
    checks.array(boxes, "boxes", FLOAT64, ("M", 4))
    checks.array(places, "places", checks.INT32, ("K",))
    checks.array(picks, "picks", checks.INT32, places.shape)
    among(places, "places", held)
    among(picks, "picks", len(boxes))
    return held, len(boxes)


def among(value: NDArray[Any], name: str, length: int) -> None:
    if len(value) and not (value.min() >= 0 and value.max() < length):
        raise ValueError(f"{name} must lie in 0..{length - 1}, they go from {value.min()} to {value.max()}")


def matching(
    value: NDArray[Any],
    places: NDArray[Any],
    boxes: NDArray[Any],
    picks: NDArray[Any],
    labels: tuple[NDArray[Any], NDArray[Any]],
    out: NDArray[Any],
) -> None:
    """Refuse what cannot be matched: see `match_tracks`."""
    held = states(value)
    checks.array(boxes, "boxes", FLOAT64, ("M", 4))
    checks.array(places, "places", checks.INT32, ("n",))
    checks.array(picks, "picks", checks.INT32, ("m",))
    among(places, "places", held)
    among(picks, "picks", len(boxes))
    checks.array(labels[0], "labels[0]", checks.INT32, (held,))
    checks.array(labels[1], "labels[1]", checks.INT32, (len(boxes),))
    checks.output(out, "out", checks.INT32, places.shape)


def least_overlap(value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"least must lie in 0..1, it is {value}")
    return float(value)


def costs(value: NDArray[Any], out: NDArray[Any]) -> None:
    """Refuse costs that are not (n, m) float64 and finite, and an `out` that is not (n,) int32."""
    checks.array(value, "costs", FLOAT64, ("n", "m"))
    checks.output(out, "out", checks.INT32, value.shape[:1])
    if not np.isfinite(value).all():
        raise ValueError("costs must be finite numbers")


def moving(value: NDArray[Any], lost: NDArray[Any]) -> None:
    """Refuse states that are not (N, 20) and writable, and a `lost` that is not (N,) uint8."""
    checks.array(lost, "lost", checks.UINT8, (states(value),))
