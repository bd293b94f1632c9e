from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kernels.candidates import Candidates

Floats = NDArray[np.float32]
Size = tuple[int, int]

def decode_yolox(
    output: Floats,
    input_size: Size,
    strides: Sequence[int],
    threshold: float,
    into: Candidates,
    start: int = 0,
) -> int: ...
def decode_nanodet(
    scores: Floats,
    distances: Floats,
    input_size: Size,
    stride: int,
    threshold: float,
    into: Candidates,
    start: int = 0,
) -> int: ...
def decode_yunet(
    cls: Floats,
    obj: Floats,
    boxes: Floats,
    landmarks: Floats,
    input_size: Size,
    stride: int,
    threshold: float,
    into: Candidates,
    start: int = 0,
) -> int: ...
