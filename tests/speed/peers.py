"""Preparation as the best users of other libraries write it: into ready arrays, the fastest of several forms.

Each maker returns a work and the array (C, height, width) that it fills, or for blobFromImage, which takes no
output, a work that returns it.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import openvino
from case import Work
from numpy.typing import NDArray
from openvino import preprocess

cv2.setNumThreads(1)

Pixels = NDArray[np.uint8]
Tensor = NDArray[np.float32]
Get = Callable[[], Pixels]  # the BGR picture: at hand, or converted first
MEAN = (123.675, 116.28, 103.53)  # red, green, blue
SCALE = 57.63  # one for all, which is all that blobFromImage takes


Peers = Mapping[str, tuple[Work, NDArray[np.generic] | None]]  # a work, and what it fills or None


def steady(others: Peers) -> dict[str, Work]:
    """Those that fill an array of ours and keep to one thread."""
    return {name: work for name, (work, out) in others.items() if out is not None and name != "openvino"}


def unsteady(others: Peers) -> dict[str, Work]:
    """Those that are timed apart: blobFromImage, which returns new memory, and OpenVINO with its threads."""
    return {name: work for name, (work, out) in others.items() if out is None or name == "openvino"}


class Letterbox:
    """Where a resized picture goes in a square of `side`; the whole of it for a stretched one."""

    def __init__(self, height: int, width: int, side: int, *, stretch: bool) -> None:
        factor = min(side / height, side / width)
        self.height = side if stretch else round(height * factor)
        self.width = side if stretch else round(width * factor)
        top, left = (side - self.height) // 2, (side - self.width) // 2
        self.inside = slice(top, top + self.height), slice(left, left + self.width)
        self.rest = top, side - self.height - top, left, side - self.width - left
        self.whole = not any(self.rest)


def blob(get: Get, side: int) -> Work:
    """cv2.dnn.blobFromImage, which resizes, swaps and subtracts, stretched."""
    return lambda: cv2.dnn.blobFromImage(get(), 1 / SCALE, (side, side), MEAN, swapRB=True)


def blob_letterboxed(get: Get, box: Letterbox, side: int) -> Work:
    resized = np.full((side, side, 3), 114, np.uint8)
    small = np.empty((box.height, box.width, 3), np.uint8)

    def work() -> object:
        cv2.resize(get(), (box.width, box.height), dst=small)
        resized[box.inside] = small
        return cv2.dnn.blobFromImage(resized, 1 / SCALE, (side, side), MEAN, swapRB=True)

    return work


def planes(get: Get, box: Letterbox, side: int) -> tuple[Callable[[], list[Pixels]], list[Pixels]]:
    """cv2.resize and cv2.split: blue, green and red, with a border where there is one."""
    resized = np.empty((box.height, box.width, 3), np.uint8)
    framed = resized if box.whole else np.empty((side, side, 3), np.uint8)
    split = [np.empty((side, side), np.uint8) for _ in range(3)]

    def work() -> list[Pixels]:
        cv2.resize(get(), (box.width, box.height), dst=resized)
        if not box.whole:
            cv2.copyMakeBorder(resized, *box.rest, cv2.BORDER_CONSTANT, dst=framed, value=(114, 114, 114))
        cv2.split(framed, split)
        return split

    return work, split


def arithmetic(get: Get, box: Letterbox, side: int) -> tuple[Work, Tensor]:
    """resize, split, then multiply and add in place by NumPy."""
    out = np.empty((3, side, side), np.float32)
    work, _ = planes(get, box, side)
    multiply, add = np.float32(1 / SCALE), [np.float32(-mean / SCALE) for mean in MEAN]

    def chain() -> None:
        split = work()
        for c in range(3):
            np.multiply(split[2 - c], multiply, out=out[c])
            np.add(out[c], add[c], out=out[c])

    return chain, out


def lookup(get: Get, box: Letterbox, side: int) -> tuple[Work, Tensor]:
    """resize, split, then one table of 256 floats a channel."""
    out = np.empty((3, side, side), np.float32)
    work, _ = planes(get, box, side)
    tables = [((np.arange(256) - mean) / SCALE).astype(np.float32) for mean in MEAN]

    def chain() -> None:
        split = work()
        for c in range(3):
            cv2.LUT(split[2 - c], tables[c], dst=out[c])

    return chain, out


def bytes_split(get: Get, box: Letterbox, side: int) -> tuple[Work, Pixels]:
    """resize, and split straight into the planes of the tensor."""
    resized = np.empty((box.height, box.width, 3), np.uint8)
    framed = resized if box.whole else np.empty((side, side, 3), np.uint8)
    out = np.empty((3, side, side), np.uint8)

    def chain() -> None:
        cv2.resize(get(), (box.width, box.height), dst=resized)
        if not box.whole:
            cv2.copyMakeBorder(resized, *box.rest, cv2.BORDER_CONSTANT, dst=framed, value=(114, 114, 114))
        cv2.split(framed, [out[2], out[1], out[0]])

    return chain, out


def bytes_framed(get: Get, box: Letterbox, side: int) -> tuple[Work, Pixels]:
    """The border is there already: split goes inside it."""
    resized = np.empty((box.height, box.width, 3), np.uint8)
    out = np.full((3, side, side), 114, np.uint8)
    inside = [out[c][box.inside] for c in (2, 1, 0)]

    def chain() -> None:
        cv2.resize(get(), (box.width, box.height), dst=resized)
        for c in range(3):
            cv2.extractChannel(resized, c, inside[c])

    return chain, out


def openvino_preprocessor(pixels: Pixels, side: int) -> tuple[Work, Tensor]:
    """OpenVINO's PrePostProcessor before a model that returns its input."""
    shape = [1, 3, side, side]
    parameter = openvino.opset13.parameter(shape, np.float32, name="x")
    model = openvino.Model([openvino.opset13.result(parameter)], [parameter], "same")
    steps = preprocess.PrePostProcessor(model)
    given = steps.input().tensor()
    given.set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    given.set_color_format(preprocess.ColorFormat.BGR).set_spatial_static_shape(*pixels.shape[:2])
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    todo = steps.input().preprocess()
    todo.convert_element_type(openvino.Type.f32).convert_color(preprocess.ColorFormat.RGB)
    todo.resize(preprocess.ResizeAlgorithm.RESIZE_LINEAR).mean(list(MEAN)).scale([SCALE] * 3)
    settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(steps.build(), "CPU", settings).create_infer_request()
    request.set_input_tensor(openvino.Tensor(pixels[np.newaxis], shared_memory=True))
    return request.infer, request.get_output_tensor().data[0]
