"""Pixel formats, and the one place that checks a picture's shape against its format."""

import enum

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


class PixelFormat(enum.Enum):
    """How a picture's bytes are laid out. Every picture is uint8 and C-contiguous.

    | member | array shape | order |
    |---|---|---|
    | BGR, RGB | (height, width, 3) | interleaved |
    | GRAY | (height, width) | |
    | YUYV | (height, width, 2) | Y0 U Y1 V, width even |
    | NV12 | (height * 3 / 2, width) | plane of Y, then U V interleaved at half size; both sizes even |
    """

    BGR = "bgr"
    RGB = "rgb"
    GRAY = "gray"
    YUYV = "yuyv"
    NV12 = "nv12"


_CHANNELS = {PixelFormat.BGR: 3, PixelFormat.RGB: 3, PixelFormat.YUYV: 2}
_PLANAR = (PixelFormat.GRAY, PixelFormat.NV12)


def picture_size(pixels: Picture, pixel_format: PixelFormat) -> tuple[int, int]:
    """The (height, width) in pixels of a picture.

    Raises TypeError for another dtype than uint8, ValueError for a shape that the format does not have or an
    empty picture; both name what was expected and what came.
    """
    if pixels.dtype != np.uint8:
        raise TypeError(f"a picture must be uint8, not {pixels.dtype}")
    if pixel_format in _PLANAR:
        return _planar_size(pixels, pixel_format)
    channels = _CHANNELS[pixel_format]
    if pixels.ndim != 3 or pixels.shape[2] != channels:
        raise ValueError(
            f"a {pixel_format.name} picture must be (height, width, {channels}), not {pixels.shape}"
        )
    height, width = pixels.shape[:2]
    if pixel_format is PixelFormat.YUYV and width % 2:
        raise ValueError(f"a YUYV picture must have an even width, not {width}")
    return _not_empty(height, width, pixels)


def _planar_size(pixels: Picture, pixel_format: PixelFormat) -> tuple[int, int]:
    if pixels.ndim != 2:
        raise ValueError(f"a {pixel_format.name} picture must have two dimensions, not {pixels.shape}")
    height, width = pixels.shape
    if pixel_format is PixelFormat.NV12:
        if height % 3 or width % 2:
            raise ValueError(
                f"an NV12 picture must be (height * 3 / 2, width) of even sizes, not {pixels.shape}"
            )
        height = height // 3 * 2
    return _not_empty(height, width, pixels)


def _not_empty(height: int, width: int, pixels: Picture) -> tuple[int, int]:
    if height == 0 or width == 0:
        raise ValueError(f"a picture must not be empty, its shape is {pixels.shape}")
    return height, width
