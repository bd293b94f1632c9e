"""Camera formats to BGR; the twin of kernels/_convert.pyx."""

import numpy as np
from numpy.typing import NDArray

from kernels import checks
from kernels.formats import Picture, PixelFormat

# BT.601, limited range, in units of 2^-20, rounded as cv2 does.
SHIFT = 20
LUMA, BLUE_U, GREEN_U, GREEN_V, RED_V = 1220542, 2116026, -409993, -852492, 1673527


def convert(pixels: Picture, format: PixelFormat, out: Picture | None = None) -> Picture:  # noqa: A002
    """Convert a picture of any PixelFormat to BGR, uint8 (height, width, 3), into `out` where it is given.

    YUYV and NV12 are read as BT.601 of limited range and give what cv2.cvtColor gives. A BGR picture comes
    back itself where `out` is None. Raises TypeError for another dtype, ValueError for a shape that the
    format does not have, for an empty or non-contiguous picture, and for an `out` of another shape or that is
    read-only.
    """
    height, width = checks.picture(pixels, format)
    if format is PixelFormat.BGR and out is None:
        return pixels
    out = checks.room(out, "out", checks.UINT8, (height, width, 3))
    _CONVERSIONS[format](pixels, out)
    return out


def _bgr(pixels: Picture, out: Picture) -> None:
    out[...] = pixels


def _rgb(pixels: Picture, out: Picture) -> None:
    out[...] = pixels[:, :, ::-1]


def _gray(pixels: Picture, out: Picture) -> None:
    out[...] = pixels[:, :, np.newaxis]


def _yuyv(pixels: Picture, out: Picture) -> None:
    _yuv(pixels[:, :, 0], pixels[:, ::2, 1].repeat(2, axis=1), pixels[:, 1::2, 1].repeat(2, axis=1), out)


def _nv12(pixels: Picture, out: Picture) -> None:
    height, width = out.shape[:2]
    chroma = pixels[height:].reshape(height // 2, width // 2, 2).repeat(2, axis=0).repeat(2, axis=1)
    _yuv(pixels[:height], chroma[:, :, 0], chroma[:, :, 1], out)


def _yuv(luma: Picture, blue: Picture, red: Picture, out: Picture) -> None:
    """All three of (height, width); int32 holds every sum."""
    y = np.maximum(luma.astype(np.int32) - 16, 0) * LUMA + (1 << (SHIFT - 1))
    u, v = blue.astype(np.int32) - 128, red.astype(np.int32) - 128
    out[:, :, 0] = _byte(y + BLUE_U * u)
    out[:, :, 1] = _byte(y + GREEN_U * u + GREEN_V * v)
    out[:, :, 2] = _byte(y + RED_V * v)


def _byte(value: NDArray[np.int32]) -> NDArray[np.int32]:
    clipped: NDArray[np.int32] = np.clip(value >> SHIFT, 0, 255)
    return clipped


_CONVERSIONS = {
    PixelFormat.BGR: _bgr,
    PixelFormat.RGB: _rgb,
    PixelFormat.GRAY: _gray,
    PixelFormat.YUYV: _yuyv,
    PixelFormat.NV12: _nv12,
}
