"""Picture buffers that are used again once nobody else holds them."""

import sys

import numpy as np

from kernels.formats import Picture

MOST = 24


def _holders(arrays: list[Picture], place: int) -> int:
    return sys.getrefcount(arrays[place])


# What an array counts that only a list holds; measured, since it differs between versions of Python.
_IDLE = _holders([np.empty(1, np.uint8)], 0)


class Pool:
    """Gives out uint8 arrays of one shape, and the same one again when every other reference to it is gone.

    A reader whose frames are dropped soon thus allocates nothing large in steady state, and a frame that
    somebody keeps is never written into. Views, memoryviews and OpenCV's own wrappers count as references,
    weak ones do not. most: so many arrays are kept; beyond that each one is a new one. For use by one thread.
    """

    def __init__(self, most: int = MOST) -> None:
        self.made = 0
        self._most = most
        self._arrays: list[Picture] = []
        self._shape: tuple[int, ...] = ()

    def take(self, shape: tuple[int, ...]) -> Picture:
        """A writable C-contiguous array; what is in it is what its last user left, or anything."""
        if shape != self._shape:
            self._shape, self._arrays = shape, []
        for place in range(len(self._arrays)):
            if _holders(self._arrays, place) == _IDLE:
                return self._arrays[place]
        self.made += 1
        array = np.empty(shape, np.uint8)  # owns its memory: the base that NumPy gives to every view of it
        if len(self._arrays) < self._most:
            self._arrays.append(array)
        return array
