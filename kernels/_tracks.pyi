import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]

def start_tracks(states: Doubles, places: Ints, boxes: Doubles, picks: Ints) -> None: ...
def predict_tracks(states: Doubles, lost: NDArray[np.uint8]) -> None: ...
def correct_tracks(states: Doubles, places: Ints, boxes: Doubles, picks: Ints) -> None: ...
def match_tracks(
    states: Doubles,
    places: Ints,
    boxes: Doubles,
    picks: Ints,
    labels: tuple[Ints, Ints],
    least: float,
    out: Ints,
) -> Ints: ...
def assign_pairs(costs: Doubles, out: Ints) -> Ints: ...
