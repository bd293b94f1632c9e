"""Backends: what runs a model. One Protocol, one file a vendor, chosen by name."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]
Tensor = NDArray[Any]
UNKNOWN = -1


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class TensorSpec(NamedTuple):
    """One input or output of a model. A size that is not known before a run is UNKNOWN (-1)."""

    name: str
    shape: Shape
    dtype: np.dtype[Any]

    @property
    def is_static(self) -> bool:
        return UNKNOWN not in self.shape

    def __str__(self) -> str:
        sizes = ", ".join("?" if size == UNKNOWN else str(size) for size in self.shape)
        return f"{self.name} ({sizes}) {self.dtype}"


Arrange = Callable[[tuple[TensorSpec, ...], Mapping[str, str]], tuple[Shape, ...]]
"""Called by a backend once the model is read: from the inputs (maybe with unknown sizes) and the metadata to
the shape that each input gets. Raises ModelMismatch for what cannot be."""


class Tuning(NamedTuple):
    """How a device is told to work; None leaves it to the backend.

    hint: "latency" gives one picture all of the device, "throughput" parts it among several. threads: of the
    processor, for all requests together.
    """

    hint: str | None = None
    threads: int | None = None


UNTUNED = Tuning()


class Opening(NamedTuple):
    """What a backend is opened with: a model file, a device, how many slots, and who settles the shapes.

    digest: SHA-256 of the model's files, in hexadecimal; "" where nobody worked it out. cache: the private
    folder where compiled models are kept, at most `cache_bytes` of them; None for none, as without a digest.
    """

    path: Path
    device: str
    slots: int
    arrange: Arrange
    digest: str = ""
    cache: Path | None = None
    cache_bytes: int = 1 << 30
    tuning: Tuning = UNTUNED


class Backend(Protocol):
    """A compiled model with `slots` requests, each with tensors of its own. One thread uses it.

    device: the one it runs on, never a list. metadata: the model's own, keys without prefix (see
    inference.metadata).
    Opening raises ModelInvalid, ModelMismatch and BackendUnavailable; running raises InferenceError.
    """

    name: str
    device: str
    slots: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    metadata: Mapping[str, str]

    def input(self, slot: int, index: int = 0) -> Tensor:
        """The writable tensor that the slot's next run reads, without a copy.

        Not to be touched between start and wait.
        """
        ...

    def run(self, slot: int) -> tuple[Tensor, ...]:
        """Runs the slot and returns its outputs: start and wait with the least overhead."""
        ...

    def start(self, slot: int) -> None:
        """Sets the slot running and returns at once."""
        ...

    def wait(self, slot: int) -> tuple[Tensor, ...]:
        """Waits for the slot's run. The outputs are views, valid until the slot's next start."""
        ...

    def close(self) -> None:
        """Ends what is under way and lets go of the model. Safe to call twice."""
        ...
