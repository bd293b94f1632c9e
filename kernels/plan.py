"""What `prepare` works out before it touches a pixel: shared by the compiled kernel and its NumPy twin.

A plan depends on sizes and settings alone, so it is made once and found again for every later frame.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels import checks
from kernels.formats import Picture, PixelFormat
from kernels.placement import Placement, Size, fit_size, placement
from kernels.sampling import Axis, axis

BGR, RGB, GRAY = PixelFormat.BGR, PixelFormat.RGB, PixelFormat.GRAY
LUMA = {RGB: (0.299, 0.587, 0.114), BGR: (0.114, 0.587, 0.299)}  # BT.601, as cv2's conversion to gray
CAMERA = (PixelFormat.YUYV, PixelFormat.NV12)  # read as BGR
LAYOUTS = ("NCHW", "NHWC")
DTYPES = tuple(np.dtype(name) for name in (np.uint8, np.float16, np.float32))
Three = tuple[float, ...] | None


class Plan(NamedTuple):
    """One preparation: output channel c is source channel channels[c], times multiply[c], plus add[c]."""

    placement: Placement
    rows: Axis
    columns: Axis
    channels: NDArray[np.int32]  # (C,): index into the source's channels
    luma: (
        NDArray[np.float32] | None
    )  # (3,): source channels are summed by these into the one gray, where not None
    multiply: NDArray[np.float32]  # (C,)
    add: NDArray[np.float32]  # (C,)
    border: NDArray[np.float32]  # (C,): what stands outside the picture, multiplied and added already


def plan(
    pixels: Picture,
    out: NDArray[Any],
    *,
    format: PixelFormat,  # noqa: A002
    color: PixelFormat,
    resize: str,
    anchor: str,
    pad: int,
    mean: Sequence[float] | None,
    scale: Sequence[float] | None,
    layout: str,
) -> Plan:
    """Check everything that `prepare` was given and tell how to do it; raises as `prepare` says."""
    source = checks.picture(pixels, format)
    target = _input_size(out, color, layout)
    if out.dtype == checks.UINT8 and (mean is not None or scale is not None):
        raise ValueError("a uint8 out takes no mean and no scale: its values stay 0..255")
    order = BGR if format in CAMERA else format
    return _planned(source, target, order, color, resize, anchor, pad, numbers(mean), numbers(scale))


@lru_cache(maxsize=32)
def _planned(
    source: Size,
    target: Size,
    pixel_format: PixelFormat,
    color: PixelFormat,
    resize: str,
    anchor: str,
    pad: int,
    mean: Three,
    scale: Three,
) -> Plan:
    fit = fit_size(source, target, resize, anchor)
    channels, luma = _channels(pixel_format, color)
    multiply, add = _multiply_add(mean, scale, len(channels))
    if not 0 <= pad <= 255:
        raise ValueError(f"pad must lie in 0..255, it is {pad}")
    return Plan(
        placement(source, target, resize, anchor),
        axis(source[0], fit.height, fit.top, target[0]),
        axis(source[1], fit.width, fit.left, target[1]),
        np.array(channels, np.int32),
        None if luma is None else np.array(luma, np.float32),
        multiply,
        add,
        (np.float32(pad) * multiply + add).astype(np.float32),
    )


def _channels(
    pixel_format: PixelFormat, color: PixelFormat
) -> tuple[tuple[int, ...], tuple[float, ...] | None]:
    if color is GRAY:
        return (0,), LUMA.get(pixel_format)
    if pixel_format is GRAY:
        return (0, 0, 0), None
    return ((0, 1, 2) if pixel_format is color else (2, 1, 0)), None


def _multiply_add(
    mean: Three, scale: Three, channels: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(pixel - mean) / scale as pixel * multiply + add."""
    means = _per_channel(mean, "mean", channels, 0.0)
    scales = _per_channel(scale, "scale", channels, 1.0)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        multiply = (1 / np.array(scales)).astype(np.float32)
        add = (-np.array(means) / np.array(scales)).astype(np.float32)
    if not (np.isfinite(multiply).all() and np.isfinite(add).all()):
        raise ValueError(f"scale must not hold a zero, or a number too near to it: {scales}")
    return multiply, add


def _per_channel(values: Three, name: str, channels: int, absent: float) -> tuple[float, ...]:
    if values is None:
        return (absent,) * channels
    if len(values) != channels or not all(math.isfinite(value) for value in values):
        raise ValueError(f"{name} must be {channels} finite numbers, one a channel, not {values}")
    return values


def numbers(values: Sequence[float] | None) -> Three:
    """A mean or a scale as what a plan is found again by."""
    return None if values is None else tuple(float(value) for value in values)


def _input_size(out: NDArray[Any], color: PixelFormat, layout: str) -> Size:
    """The (height, width) of a writable out of the right dtype, shape and layout."""
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, not {layout!r}")
    if color not in (BGR, RGB, GRAY):
        raise ValueError(f"color must be BGR, RGB or GRAY, not {color!r}")
    if not isinstance(out, np.ndarray) or out.dtype not in DTYPES:
        kind = out.dtype if isinstance(out, np.ndarray) else type(out).__name__
        raise TypeError(f"out must be an array of uint8, float16 or float32, not {kind}")
    channels = 1 if color is GRAY else 3
    planar = layout == "NCHW"
    checks.output(
        out, "out", out.dtype, (channels, "height", "width") if planar else ("height", "width", channels)
    )
    height, width = out.shape[1:] if planar else out.shape[:2]
    if height == 0 or width == 0:
        raise ValueError(f"out must not be empty, its shape is {out.shape}")
    return height, width
