"""A picture into a model's input tensor; the twin of kernels/_prepare.pyx."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.formats import Picture, PixelFormat
from kernels.placement import Placement
from kernels.plan import Plan, plan
from kernels.reference.convert import convert


def prepare(
    pixels: Picture,
    out: NDArray[Any],
    *,
    format: PixelFormat = PixelFormat.BGR,  # noqa: A002
    color: PixelFormat = PixelFormat.RGB,
    resize: str = "stretch",
    anchor: str = "centre",
    pad: int = 114,
    mean: Sequence[float] | None = None,
    scale: Sequence[float] | None = None,
    layout: str = "NCHW",
) -> Placement:
    """Scale a picture into a model's input tensor, with the colour order and numbers that the model wants.

    pixels: C-contiguous uint8 of any PixelFormat. out: writable, C-contiguous uint8, float16 or float32 of
    shape (C, height, width) for layout "NCHW" or (height, width, C) for "NHWC"; C is 3 for color BGR and RGB,
    1 for GRAY. Interpolation is bilinear with pixel centres at halves and repeated edges, within one grey
    level of cv2.resize(INTER_LINEAR). A float out keeps the fraction of a grey level: value = (pixel -
    mean[c]) / scale[c] with mean and scale in the order of `color`, in units of grey levels 0..255. A uint8
    out is rounded to the nearest level. resize, anchor: see `placement`; pad is the border's grey level
    0..255 before mean and scale.

    Returns where the picture lies in `out`. Raises TypeError for another dtype, ValueError for an empty,
    misshapen, non-contiguous or read-only array, for an unknown setting, for mean or scale with a uint8 out,
    or of another length than C, or not finite, and for a zero in scale.
    """
    if format in (PixelFormat.YUYV, PixelFormat.NV12):
        pixels, format = convert(pixels, format), PixelFormat.BGR  # noqa: A001
    todo = plan(
        pixels,
        out,
        format=format,
        color=color,
        resize=resize,
        anchor=anchor,
        pad=pad,
        mean=mean,
        scale=scale,
        layout=layout,
    )
    interleaved = out.transpose(1, 2, 0) if layout == "NCHW" else out
    with np.errstate(over="ignore"):  # beyond float16 lies infinity
        interleaved[...] = todo.border
        inside = slice(todo.rows.begin, todo.rows.end), slice(todo.columns.begin, todo.columns.end)
        interleaved[inside] = _values(pixels, todo, whole=out.dtype == np.uint8)
    return todo.placement


def _values(pixels: Picture, todo: Plan, *, whole: bool) -> NDArray[np.float32]:
    """The (rows, columns, C) that lie inside the picture, ready to be stored."""
    sampled = _bilinear(pixels.reshape(*pixels.shape[:2], -1), todo)
    sampled = sampled[:, :, todo.channels] if todo.luma is None else sampled @ todo.luma[:, np.newaxis]
    return np.floor(sampled + np.float32(0.5)) if whole else sampled * todo.multiply + todo.add


def _bilinear(pixels: Picture, todo: Plan) -> NDArray[np.float32]:
    height, width = pixels.shape[:2]
    upper, down = _inside(todo.rows.first, todo.rows.weight, todo.rows.begin, todo.rows.end)
    left, right = _inside(todo.columns.first, todo.columns.weight, todo.columns.begin, todo.columns.end)
    lower, beside = np.minimum(upper + 1, height - 1), np.minimum(left + 1, width - 1)
    across = right[np.newaxis, :, np.newaxis]
    top = _between(pixels[np.ix_(upper, left)], pixels[np.ix_(upper, beside)], across)
    bottom = _between(pixels[np.ix_(lower, left)], pixels[np.ix_(lower, beside)], across)
    return _between(top, bottom, down[:, np.newaxis, np.newaxis])


def _inside(
    first: NDArray[np.int32], weight: NDArray[np.float32], begin: int, end: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    return first[begin:end], weight[begin:end]


def _between(
    low: NDArray[np.uint8] | NDArray[np.float32],
    high: NDArray[np.uint8] | NDArray[np.float32],
    weight: NDArray[np.float32],
) -> NDArray[np.float32]:
    low = low.astype(np.float32)
    return low + (high.astype(np.float32) - low) * weight
