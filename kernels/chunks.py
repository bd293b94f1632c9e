"""Which chunks of a source row hold eight output pixels, for processors that can put any byte of 64 or 128 anywhere.

That is AVX-512 VBMI: Ice Lake, Zen 4 and later. Every output pixel is made of two neighbours; one, two or three chunks
that follow one another hold those of eight pixels, or four halves of chunks hold two pixels each.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.formats import PixelFormat

CHUNK = 64  # bytes of one load
EIGHT = 8  # pixels that are sorted at once
FOUR_HALVES = 4  # of chunks, in place of three whole ones, where pixels lie far apart

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int32]


class Wide(NamedTuple):
    """Eight pixels at a time, `groups` of them, out of chunks of 64 bytes; none of which reaches past the row."""

    at: Offsets  # (groups,): bytes to the first chunk; for FOUR_HALVES (groups * 4,) to halves of two pixels each
    beside: Offsets  # (groups,): bytes to the chunk of the second plane of NV12, zeros elsewhere
    order: Bytes  # (groups, 64): which byte goes there: of each channel eight pairs of neighbours, and 16 of no use
    reads: int  # 1, 2 or 3 chunks, or FOUR_HALVES


def row_bytes(source: int, pixel_format: PixelFormat) -> int:
    """Of a row of `source` pixels, in each plane that the format has."""
    return source * _ROW_BYTES[pixel_format]


def wide_tables(first: Offsets, source: int, pixel_format: PixelFormat) -> Wide | None:
    """For left neighbours `first` (padded,), a multiple of 16, in pixels of a row of `source`.

    None where eight pixels lie too far apart, or the row is too short.
    """
    places = _PLACES.get(pixel_format)
    if places is None:
        return None
    both = np.stack([first, np.minimum(first + 1, source - 1)], axis=1)
    apart = places(both).reshape(-1, EIGHT, 3, 2)
    row = row_bytes(source, pixel_format)
    if pixel_format is PixelFormat.NV12:
        return _of_two_planes(apart, row)
    for chunks in (1, 2):
        if (found := _of_chunks(apart, row, chunks)) is not None:
            return found
    return _of_halves(apart, row) or _of_chunks(apart, row, 3)


def _of_chunks(apart: Offsets, row: int, chunks: int) -> Wide | None:
    """Chunks that follow one another."""
    if row < CHUNK * chunks:
        return None
    at = np.minimum(apart.min(axis=(1, 2, 3)), row - CHUNK * chunks)
    order = apart - at[:, np.newaxis, np.newaxis, np.newaxis]
    if order.max() >= CHUNK * chunks:
        return None
    return Wide(at.astype(np.int32), np.zeros(len(at), np.int32), _by_channel(order), chunks)


def _of_halves(apart: Offsets, row: int) -> Wide | None:
    """Four halves of chunks, each with two pixels."""
    half = CHUNK // 2
    if row < half:
        return None
    twos = apart.reshape(-1, 4, 2, 3, 2)
    at = np.minimum(twos.min(axis=(2, 3, 4)), row - half)
    order = twos - at[:, :, np.newaxis, np.newaxis, np.newaxis]
    if order.max() >= half:
        return None
    order += np.arange(0, 4 * half, half)[:, np.newaxis, np.newaxis, np.newaxis]
    order = order.reshape(apart.shape)
    return Wide(at.astype(np.int32).reshape(-1), np.zeros(len(at), np.int32), _by_channel(order), FOUR_HALVES)


def _of_two_planes(apart: Offsets, row: int) -> Wide | None:
    """A chunk of Y, and one of U V as the second."""
    if row < CHUNK:
        return None
    at = np.minimum(apart[:, :, 0].min(axis=(1, 2)), row - CHUNK)
    beside = np.minimum(apart[:, :, 1].min(axis=(1, 2)), row - CHUNK)
    order = apart - np.stack([at, beside, beside], axis=1)[:, np.newaxis, :, np.newaxis]
    if order.max() >= CHUNK:
        return None
    order[:, :, 1:] += CHUNK
    return Wide(at.astype(np.int32), beside.astype(np.int32), _by_channel(order), 2)


def _by_channel(order: Offsets) -> Bytes:
    """(groups, 8, 3, 2) to (groups, 64): a channel's eight pairs side by side; none lies in two lines of the cache."""
    room = np.zeros((len(order) + 1) * CHUNK, np.uint8)
    begin = -room.ctypes.data % CHUNK
    laid = room[begin : begin + len(order) * CHUNK].reshape(len(order), CHUNK)
    laid.reshape(-1, 4, EIGHT, 2)[:, :3] = order.transpose(0, 2, 1, 3)
    return laid


def _places_of_three(both: Offsets) -> Offsets:
    return both[:, np.newaxis] * 3 + np.arange(3)[:, np.newaxis]


def _places_of_yuyv(both: Offsets) -> Offsets:
    return np.stack([both * 2, both // 2 * 4 + 1, both // 2 * 4 + 3], axis=1)


def _places_of_nv12(both: Offsets) -> Offsets:
    """Y in its plane; U and V in theirs."""
    return np.stack([both, both // 2 * 2, both // 2 * 2 + 1], axis=1)


_PLACES = {  # where each channel of both neighbours lies in a row
    PixelFormat.BGR: _places_of_three,
    PixelFormat.RGB: _places_of_three,
    PixelFormat.YUYV: _places_of_yuyv,
    PixelFormat.NV12: _places_of_nv12,
}
_ROW_BYTES = {  # of a pixel, in the row of each plane
    PixelFormat.BGR: 3,
    PixelFormat.RGB: 3,
    PixelFormat.YUYV: 2,
    PixelFormat.NV12: 1,
}
