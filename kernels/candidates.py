"""The columns that decoders write boxes into; made once a model and used for every frame."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LANDMARKS = 5


class Candidates(NamedTuple):
    """Room for M boxes in model-input pixels; only the rows below a decoder's count mean anything."""

    boxes: NDArray[np.float32]  # (M, 4): x1, y1, x2, y2
    scores: NDArray[np.float32]  # (M,)
    labels: NDArray[np.int32]  # (M,)
    landmarks: NDArray[np.float32] | None  # (M, 5, 2): x, y


def candidates(capacity: int, landmarks: bool = False) -> Candidates:
    """Room for `capacity` boxes, with five landmarks each where asked for.

    A decoder needs room for every anchor it reads, not just for the survivors. Raises ValueError below zero.
    """
    if capacity < 0:
        raise ValueError(f"capacity must not be negative, it is {capacity}")
    return Candidates(
        np.zeros((capacity, 4), np.float32),
        np.zeros(capacity, np.float32),
        np.zeros(capacity, np.int32),
        np.zeros((capacity, LANDMARKS, 2), np.float32) if landmarks else None,
    )
