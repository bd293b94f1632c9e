from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kernels.formats import Picture
from kernels.placement import Placement

Mask = NDArray[np.uint8]

def argmax_planes(scores: NDArray[np.float32] | NDArray[np.float16], out: Mask) -> Mask: ...
def overlay_mask(
    pixels: Picture,
    mask: Mask,
    palette: NDArray[np.uint8],
    out: Picture | None = None,
    *,
    alpha: int = 128,
    placement: Placement | None = None,
) -> Picture: ...
def blur_zone(
    pixels: Picture,
    x1: int,
    y1: int,
    x2: int,
    y2: int,
    strength: int | None = None,
    out: Picture | None = None,
) -> Picture: ...
def fill_zone(
    pixels: Picture,
    x1: int,
    y1: int,
    x2: int,
    y2: int,
    color: Sequence[int] = (0, 0, 0),
    out: Picture | None = None,
) -> Picture: ...
