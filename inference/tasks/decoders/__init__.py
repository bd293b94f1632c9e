"""Decoders: how the outputs of each family of detectors are laid out, and which kernel reads them.

A decoder's file has a `fit(head)` that recognises its family by the shapes and names of the outputs, and says
in a sentence (NoFit) what it expected where they are another's.
"""

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from inference.backends import UNKNOWN, Tensor, TensorSpec
from inference.manifest import DECODERS
from kernels.candidates import Candidates

Floats = NDArray[np.float32]
Outputs = tuple[Tensor, ...]
Rows = tuple[int, int]
_FILES = {"yolov5": "yolo", "yolov8": "yolo"}
# From the most particular to the least: a later one would also take some that an earlier one knows better.
_ORDER = ("yunet", "nanodet", "scored", "yolov8", "yolov5", "yolox", "ssd")


class NoFit(Exception):
    """The outputs are not laid out as this decoder reads them; says what it reads."""


class Head(NamedTuple):
    """What a decoder is recognised by.

    size: (height, width) of the input in pixels. labels: how many names were given, None for no names.
    named: the manifest names the decoder, so what two families share is no matter.
    """

    outputs: tuple[TensorSpec, ...]
    size: tuple[int, int]
    labels: int | None
    named: bool = False


class Decoder(NamedTuple):
    """A way to read one model's outputs.

    classes: how many the outputs have, None where they do not tell. anchors: room that the kernel needs.
    threshold, iou: the family's defaults (an iou of 1 keeps every box: the model thins them out itself).
    read(outputs, threshold, into) -> how many survived the threshold.
    count(outputs) -> the room that these very outputs need.
    """

    name: str
    classes: int | None
    anchors: int
    threshold: float
    iou: float
    read: Callable[[Outputs, float, Candidates], int]
    count: Callable[[Outputs], int]
    landmarks: bool = False


def fit_decoder(name: str, head: Head) -> Decoder:
    """The decoder of that name, or for "auto" the first that fits. Raises NoFit."""
    if name != "auto":
        return _fit(name, head._replace(named=True))
    for candidate in _ORDER:
        try:
            return _fit(candidate, head)
        except NoFit:
            continue
    raise NoFit(
        "the outputs are like those of no detector known here, or of several; output.decoder can name one of "
        f"{', '.join(DECODERS[1:])}"
    )


def _fit(name: str, head: Head) -> Decoder:
    module: Any = importlib.import_module(f"inference.tasks.decoders.{_FILES.get(name, name)}")
    return cast(Decoder, module.fit(head, name) if name in _FILES else module.fit(head))


def rows_of(spec: TensorSpec) -> Rows | None:
    """(rows, columns) of an output (1, ..., 1, rows, columns) of known size; None for any other shape."""
    batch = tuple(1 if size == UNKNOWN and axis == 0 else size for axis, size in enumerate(spec.shape))
    if len(batch) < 2 or UNKNOWN in batch or any(size != 1 for size in batch[:-2]):
        return None
    return batch[-2], batch[-1]


def all_rows(head: Head, expected: str) -> list[Rows]:
    """(rows, columns) of every output. Raises NoFit with the sentence `expected` where one is not a table."""
    sizes = [rows_of(spec) for spec in head.outputs]
    known = [size for size in sizes if size is not None]
    if len(known) != len(sizes) or not known:
        raise NoFit(expected)
    return known


def table(output: Tensor) -> Floats:
    """An output as float32 (rows, columns); a view where it is float32 already."""
    return np.asarray(output, np.float32).reshape(output.shape[-2:])
