import numpy as np
from numpy.typing import NDArray

from kernels.candidates import Candidates
from kernels.placement import Placement

def nms(
    into: Candidates,
    count: int,
    iou: float,
    *,
    limit: int | None = None,
    by_class: bool = True,
    keep: NDArray[np.int32] | None = None,
) -> NDArray[np.int32]: ...
def boxes_to_frame(
    boxes: NDArray[np.float32], placement: Placement, out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]: ...
def points_to_frame(
    points: NDArray[np.float32], placement: Placement, out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]: ...
