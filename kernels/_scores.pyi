import numpy as np
from numpy.typing import NDArray

def softmax_top_k(
    scores: NDArray[np.float32],
    k: int,
    *,
    softmax: bool = True,
    ids: NDArray[np.int32] | None = None,
    values: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]: ...
