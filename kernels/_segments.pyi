import numpy as np
from numpy.typing import NDArray

from kernels.areas import Part

Mask = NDArray[np.uint8]

def count_classes(mask: Mask, part: Part, out: NDArray[np.int64]) -> NDArray[np.int64]: ...
def argmax_pixels(scores: NDArray[np.float32], out: Mask) -> Mask: ...
