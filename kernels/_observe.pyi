import numpy as np
from numpy.typing import NDArray

from kernels.observation import Views

def observe(
    pixels: Views, out: NDArray[np.uint8] | NDArray[np.float32], *, mode: str = "training"
) -> NDArray[np.uint8] | NDArray[np.float32]: ...
