"""What a kernel refuses, in one sentence each: shared by the compiled kernels and their NumPy twins.

TypeError for what is not an array or has another dtype, ValueError for everything else.
"""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kernels.candidates import LANDMARKS, Candidates
from kernels.formats import Picture, PixelFormat, picture_size
from kernels.placement import Placement

Shape = tuple[int | str, ...]  # a number is demanded, a name such as "N" may be any
FLOAT32 = np.dtype(np.float32)
INT32 = np.dtype(np.int32)
UINT8 = np.dtype(np.uint8)
Scalar = TypeVar("Scalar", bound=np.generic)


def refusal(check: Callable[..., object], *arguments: Any, **options: Any) -> TypeError:
    """What a compiled kernel raises when its one look at the arguments failed: `check` finds the sentence.

    Where `check` finds nothing wrong, the array is one whose memory cannot be had.
    """
    check(*arguments, **options)
    return TypeError("an array does not lend its memory as NumPy's own arrays do; give a plain copy of it")


def array(value: NDArray[Any], name: str, dtype: np.dtype[Any], shape: Shape) -> None:
    """Refuse what is not a C-contiguous array of this dtype and shape."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name} must be a NumPy array of {dtype}, not {type(value).__name__}")
    if value.dtype != dtype:
        raise TypeError(f"{name} must be {dtype}, not {value.dtype}")
    if value.ndim != len(shape) or not _same(value.shape, shape):
        raise ValueError(f"{name} must have the shape {_shape(shape)}, not {_shape(value.shape)}")
    contiguous(value, name)


def output(value: NDArray[Any], name: str, dtype: np.dtype[Any], shape: Shape) -> None:
    """The same for an array that is written to."""
    array(value, name, dtype, shape)
    if not value.flags.writeable:
        raise ValueError(f"{name} must be writable, but it is read-only")


def room(
    value: NDArray[Scalar] | None, name: str, dtype: np.dtype[Scalar], shape: tuple[int, ...]
) -> NDArray[Scalar]:
    """The caller's output array, checked, or a new one where there is none."""
    if value is None:
        return np.empty(shape, dtype)
    output(value, name, dtype, shape)
    return value


def contiguous(value: NDArray[Any], name: str) -> None:
    flags = value.flags
    if not flags.c_contiguous:
        raise ValueError(
            f"{name} must be C-contiguous; its shape is {value.shape}, its strides are {value.strides}"
        )
    if not flags.aligned:
        raise ValueError(f"{name} must be aligned to its items of {value.itemsize} bytes")


def picture(pixels: Picture, pixel_format: PixelFormat) -> tuple[int, int]:
    """The (height, width) of a C-contiguous picture that has the shape of its format."""
    if not isinstance(pixels, np.ndarray):
        raise TypeError(f"pixels must be a NumPy array of uint8, not {type(pixels).__name__}")
    if not isinstance(pixel_format, PixelFormat):
        raise TypeError(f"format must be a PixelFormat, not {pixel_format!r}")
    size = picture_size(pixels, pixel_format)
    contiguous(pixels, "pixels")
    return size


def capacity(into: Candidates, start: int, anchors: int) -> None:
    """Refuse columns that do not fit each other, or do not hold `anchors` rows more from `start`."""
    held = len(into.boxes)
    output(into.boxes, "into.boxes", FLOAT32, ("M", 4))
    output(into.scores, "into.scores", FLOAT32, (held,))
    output(into.labels, "into.labels", INT32, (held,))
    if into.landmarks is not None:
        output(into.landmarks, "into.landmarks", FLOAT32, (held, LANDMARKS, 2))
    if not 0 <= start <= held:
        raise ValueError(f"start must lie in 0..{held}, it is {start}")
    if start + anchors > held:
        raise ValueError(f"into has room for {held} rows, but {start} are taken and {anchors} anchors follow")


def top_k(scores: NDArray[np.float32], k: int) -> int:
    """k, cut to the number of scores (N,) float32."""
    array(scores, "scores", FLOAT32, ("N",))
    if k < 1:
        raise ValueError(f"k must be at least one, it is {k}")
    return min(k, len(scores))


def threshold(value: float) -> float:
    """A threshold as the float32 that scores are compared with."""
    if not math.isfinite(value):
        raise ValueError(f"threshold must be a finite number, not {value}")
    return float(np.float32(value))


def size(value: tuple[int, int]) -> tuple[int, int]:
    height, width = value
    if height < 1 or width < 1:
        raise ValueError(f"input_size must be (height, width) of at least one pixel, not {(height, width)}")
    return height, width


def suppression(
    into: Candidates, count: int, iou: float, limit: int | None, keep: NDArray[np.int32] | None
) -> tuple[NDArray[np.int32], int]:
    """The array that indices are kept in, and how many of them at most."""
    capacity(into, 0, 0)
    if not 0 <= count <= len(into.boxes):
        raise ValueError(f"count must lie in 0..{len(into.boxes)}, the capacity of into, it is {count}")
    if not 0 <= iou <= 1:
        raise ValueError(f"iou must lie in 0..1, it is {iou}")
    if limit is not None and limit < 0:
        raise ValueError(f"limit must not be negative, it is {limit}")
    if keep is None:
        keep = np.empty(count, np.int32)
    output(keep, "keep", INT32, ("capacity",))
    if len(keep) < count:
        raise ValueError(f"keep must have room for {count} indices, it has {len(keep)}")
    return keep, count if limit is None else min(limit, count)


def frame_of(placement: Placement) -> tuple[tuple[float, float], tuple[float, float]]:
    """The picture's corner (x, y) in input pixels, and the share of the frame that one input pixel is."""
    across = placement.scale_x * placement.source_width
    down = placement.scale_y * placement.source_height
    if not (across > 0 and down > 0):
        raise ValueError(f"placement must have a size and a scale above zero, it is {placement}")
    return (placement.left, placement.top), (1 / across, 1 / down)


def _same(actual: tuple[int, ...], wanted: Shape) -> bool:
    return all(isinstance(want, str) or have == want for have, want in zip(actual, wanted, strict=True))


def _shape(shape: Shape) -> str:
    inner = ", ".join(str(side) for side in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"
