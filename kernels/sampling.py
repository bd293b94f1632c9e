"""Which source pixels each output pixel reads along one axis; worked out once a size and kept."""

from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)


class Axis(NamedTuple):
    """Bilinear sampling along one axis of an output of `length` pixels.

    Output pixel i of begin..end-1 is source[first[i]] * (1 - weight[i]) + source[second] * weight[i], where
    second is first[i] + 1, or first[i] itself in a source of one pixel. Outside begin..end lies the border.
    """

    begin: int
    end: int
    first: NDArray[np.int32]  # (length,): 0..max(0, source - 2), so that the second always exists
    weight: NDArray[np.float32]  # (length,): 0..1


@lru_cache(maxsize=64)
def axis(source: int, scaled: int, offset: int, length: int) -> Axis:
    """Sample `source` pixels scaled to `scaled`, whose first pixel lies at `offset` of an output of `length`.

    Pixel centres lie at halves and the edge pixel is repeated, as in cv2.INTER_LINEAR.
    """
    begin, end = max(0, offset), min(length, offset + scaled)
    centres = (np.arange(length) - offset + 0.5) * (source / scaled) - 0.5
    centres = np.clip(centres, 0, source - 1)
    first = np.minimum(np.floor(centres), max(0, source - 2))
    weight = (centres - first).astype(np.float32)
    return Axis(begin, end, _frozen(first.astype(np.int32)), _frozen(weight))


def _frozen(values: NDArray[Number]) -> NDArray[Number]:
    values.flags.writeable = False
    return values
