"""How much of a mask is which class, and masks out of scores that lie side by side; twins of kernels/_segments.pyx."""

import numpy as np
from numpy.typing import NDArray

from kernels import areas

Mask = NDArray[np.uint8]


def count_classes(mask: Mask, part: areas.Part, out: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many pixels of each class lie in a part of a mask (h, w) uint8: out (256,) int64.

    part: top, left, bottom and right, the last two just outside. Returns `out`. Raises TypeError for another dtype,
    ValueError for another shape, a part that does not lie within the mask, or a read-only `out`.
    """
    top, left, bottom, right = areas.part(mask, part, out)
    out[...] = np.bincount(mask[top:bottom, left:right].ravel(), minlength=len(out))
    return out


def argmax_pixels(scores: NDArray[np.float32], out: Mask) -> Mask:
    """The class of the highest score of each pixel whose scores lie side by side: (H, W, C) float32 to (H, W) uint8.

    Like `argmax_planes` otherwise: C 1..256, of equal classes the lower one, a NaN never, class 0 where nothing is
    known. Returns `out`, and raises as it does.
    """
    areas.side_by_side(scores, out)
    out[...] = np.where(np.isnan(scores), np.float32(-np.inf), scores).argmax(axis=2)
    return out
