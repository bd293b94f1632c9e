"""Whether outputs are the same within the error that is stated: checked before anything is timed."""

from collections.abc import Callable

import numpy as np
from case import Work
from numpy.typing import NDArray

Array = NDArray[np.generic]


def within(
    ours: Work,
    out: Array,
    others: dict[str, tuple[Work, Array | None]],
    error: float,
    *,
    average: bool = False,
) -> Callable[[], bool]:
    """others: a work and the array that it fills, or None where it returns one. error: of any value, or the mean."""

    def agrees() -> bool:
        out.fill(0)
        ours()
        worst = 0.0
        for work, theirs in others.values():
            returned = work()
            values = np.asarray(returned if theirs is None else theirs).reshape(out.shape)
            apart = np.abs(values.astype(np.float32) - out.astype(np.float32))
            worst = max(worst, float(apart.mean() if average else apart.max()))
        return worst <= error

    return agrees
