import numpy as np
from numpy.typing import NDArray

from kernels.candidates import Candidates

Floats = NDArray[np.float32]
Size = tuple[int, int]

def decode_ssd(rows: Floats, threshold: float, input_size: Size, into: Candidates, start: int = 0) -> int: ...
def decode_yolo(
    output: Floats, threshold: float, into: Candidates, start: int = 0, *, transposed: bool, objectness: bool
) -> int: ...
def decode_scored(
    scores: Floats,
    boxes: Floats,
    input_size: Size,
    threshold: float,
    into: Candidates,
    start: int = 0,
    *,
    background: int | None = 0,
) -> int: ...
