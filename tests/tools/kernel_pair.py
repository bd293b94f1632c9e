"""Both implementations of every kernel, and arrays that notice when somebody writes past their ends."""

import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

NAMES = ("compiled", "reference")
MODULES = {
    "compiled": (
        "_levels",
        "_prepare",
        "_convert",
        "_scores",
        "_decoders",
        "_cells",
        "_boxes",
        "_masks",
        "_observe",
        "_segments",
        "_tracks",
    ),
    "reference": (
        "reference",
        "reference.prepare",
        "reference.convert",
        "reference.scores",
        "reference.decoders",
        "reference.cells",
        "reference.boxes",
        "reference.masks",
        "reference.observe",
        "reference.segments",
        "reference.tracks",
    ),
}
GUARD = 0xA5
MARGIN = 64  # bytes, which keeps every dtype aligned


def implementation(name: str) -> SimpleNamespace:
    """Every public name of one implementation's modules. Raises ImportError where it was not built."""
    found = SimpleNamespace(NAME=name)
    for module in MODULES[name]:
        for key, value in vars(importlib.import_module(f"kernels.{module}")).items():
            if not key.startswith("_"):
                setattr(found, key, value)
    return found


class Guarded:
    """An array between two margins of known bytes."""

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        self._bytes = np.full(size + 2 * MARGIN, GUARD, np.uint8)
        self._end = MARGIN + size
        self.array: NDArray[Any] = self._bytes[MARGIN : self._end].view(dtype).reshape(shape)

    def check(self) -> None:
        """Fail when a byte of the margins is not what it was."""
        assert (self._bytes[:MARGIN] == GUARD).all(), "something was written before the array"
        assert (self._bytes[self._end :] == GUARD).all(), "something was written behind the array"


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only copy."""
    copy = np.array(array, order="C")
    copy.flags.writeable = False
    return copy


def at_once(work: Callable[[int], None], threads: int = 2, rounds: int = 20) -> None:
    """Run `work(thread)` in several threads at the same time, `rounds` times each; a failure is raised here."""
    start = Barrier(threads)

    def run(thread: int) -> None:
        start.wait(timeout=30)
        for _ in range(rounds):
            work(thread)

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(run, thread) for thread in range(threads)]:
            done.result(timeout=60)
