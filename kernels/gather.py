"""Which bytes of a source row the compiled `prepare` reads for each output pixel, laid out for byte shuffles.

Every output pixel is made of two neighbours. Two such pairs are brought into sixteen bytes, by one load where they
lie near enough to each other and else by two of eight bytes, and a mask sorts them by channel. What a processor with
wider permutes reads instead is told in chunks.py.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chunks import Wide, row_bytes, wide_tables
from kernels.formats import PixelFormat
from kernels.sampling import Axis

GROUP = 16  # pixels that the widest body takes at once
ONE = 32768  # a weight of 1
NOTHING = 0x80  # in a mask: a zero byte
READ = 16  # bytes of one load

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int32]


class Gather(NamedTuple):
    """Tables for `padded` pixels, a multiple of 16; those behind the last of the row repeat it."""

    first: Offsets  # (padded,): the left neighbour, in pixels
    offset: Offsets  # (padded,): bytes to it; (padded / 2,) where `near`: bytes to the sixteen of two pixels
    beside: Offsets  # (padded,): bytes to its colours in the second plane of NV12, zeros elsewhere
    mask: (
        Bytes  # (padded / 2, 16), or for NV12 that is not near (padded / 4, 16); one row where none is needed
    )
    weight: NDArray[np.int16]  # (padded,): of the right neighbour, times -32768
    near: bool  # sixteen bytes hold both pixels of every pair, or of NV12, whose offsets are (padded / 4,), all four
    plain: bool  # every weight is 0: what is sorted has no right neighbours
    reach: int  # bytes from the beginning of a row to the end of the furthest read
    reach_beside: int  # the same in the second plane
    wide: Wide | None = None  # where it was asked for and serves; then reach is the row


def gather(axis: Axis, source: int, pixel_format: PixelFormat, *, wide: bool = False) -> Gather:
    """Lay out an axis across a source row of `source` pixels; wide: for bodies that can put any byte anywhere."""
    count = axis.end - axis.begin
    index = np.minimum(np.arange(-(-count // GROUP) * GROUP), count - 1) + axis.begin
    first, weight = (values[index] for values in neighbours(axis))
    lay_out = _LAYOUTS[pixel_format]
    laid: Gather = lay_out(first, weight, source)
    plain = not weight.any()
    if plain and len(laid.mask) > 1:
        laid.mask[:, 1::2] = NOTHING  # of each pair the left one alone
    found = wide_tables(first, source, pixel_format) if wide else None
    if found is not None:
        row = row_bytes(source, pixel_format)
        laid = laid._replace(wide=found, reach=row, reach_beside=row)
    return laid._replace(plain=plain)


def neighbours(axis: Axis) -> tuple[Offsets, NDArray[np.int16]]:
    """(length,) each: the first neighbour, and the weight of the second times -32768.

    Where the second has all the weight, as in a last row that is not scaled, it becomes the first: then nothing
    is mixed, and nobody looks at the second, which may not exist.
    """
    alone = axis.weight == 1.0
    weight = np.where(alone, np.float32(0), axis.weight)
    return (axis.first + alone).astype(np.int32), np.rint(weight * -ONE).astype(np.int16)


def _one(first: Offsets, weight: NDArray[np.int16], source: int) -> Gather:
    """A byte a pixel: two neighbours are read at once, and nothing is sorted."""
    none = np.zeros((1, 16), np.uint8)
    reach = int(first.max()) + 2
    return Gather(
        first, first, np.zeros_like(first), none, weight, near=False, plain=False, reach=reach, reach_beside=0
    )


def _three(first: Offsets, weight: NDArray[np.int16], source: int) -> Gather:
    """Three bytes a pixel; each channel's two neighbours side by side."""
    places = np.array([[c, c + (3 if source > 1 else 0)] for c in range(3)], np.int32)
    return _pairs(first, first * 3, np.broadcast_to(places, (len(first), 3, 2)), weight)


def _yuyv(first: Offsets, weight: NDArray[np.int16], source: int) -> Gather:
    """Y U Y V: the neighbours share U and V where the left one is even."""
    even = [[0, 2], [1, 1], [3, 3]]
    odd = [[2, 4], [1, 5], [3, 7]]
    places = np.array([even, odd], np.int32)[first & 1]
    return _pairs(first, first // 2 * 4, places, weight)


def _nv12(first: Offsets, weight: NDArray[np.int16], source: int) -> Gather:
    """A plane of Y, and one of U V for every second pixel of it."""
    near = _nv12_near(first, weight, source)
    if near is not None:
        return near
    places = np.array([[0, 0], [0, 2]], np.uint8)[first & 1]  # of U, in the four bytes of a pixel; V follows
    four = (places.reshape(-1, 4, 2) + np.arange(0, 16, 4, dtype=np.uint8)[:, np.newaxis]).reshape(-1, 8)
    beside = first // 2 * 2
    mask = np.concatenate([four, four + 1], axis=1).astype(np.uint8)
    reach, reach_beside = int(first.max()) + 2, int(beside.max()) + 4
    return Gather(
        first, first, beside, mask, weight, near=False, plain=False, reach=reach, reach_beside=reach_beside
    )


def _nv12_near(first: Offsets, weight: NDArray[np.int16], source: int) -> Gather | None:
    """Four pixels in one load of each plane, none of which reaches past the row; None where they lie too far apart.

    mask: for each sixteen pixels four rows of Y, in which a four goes to the lower or the upper half in turn, then four
    of U V, each four pairs of U and four of V.
    """
    if source < READ:
        return None
    both = np.stack([first, np.minimum(first + 1, source - 1)], axis=1).reshape(-1, 4, 2)
    at = np.minimum(both[:, 0, 0], source - READ)
    beside = np.minimum(both[:, 0, 0] // 2 * 2, (source - READ) // 2 * 2)
    places = (both - at[:, np.newaxis, np.newaxis]).reshape(-1, 8)
    blue = (both // 2 * 2 - beside[:, np.newaxis, np.newaxis]).reshape(-1, 8)
    if max(places.max(), blue.max() + 1) >= READ:
        return None
    luma = np.full((len(at), READ), NOTHING, np.uint8)
    luma[::2, :8], luma[1::2, 8:] = places[::2], places[1::2]
    colours = np.concatenate([blue, blue + 1], axis=1).astype(np.uint8)
    planes = np.stack([luma.reshape(-1, 4, READ), colours.reshape(-1, 4, READ)], axis=1)
    mask = planes[:, :, [0, 2, 1, 3]].reshape(-1, READ).copy()  # a four beside the four 8 pixels further on
    offsets = at.astype(np.int32), beside.astype(np.int32)
    return Gather(first, *offsets, mask, weight, near=True, plain=False, reach=source, reach_beside=source)


def _pairs(first: Offsets, offset: Offsets, places: NDArray[np.int32], weight: NDArray[np.int16]) -> Gather:
    """places (padded, 3, 2): where each channel of both neighbours lies behind a pixel's offset."""
    apart = offset[1::2] - offset[::2]
    near = bool((apart + places[1::2].max(axis=(1, 2)) < 16).all())
    second = places[1::2] + (apart[:, np.newaxis, np.newaxis] if near else 8)
    mask = np.full((len(first) // 2, 4, 2, 2), NOTHING, np.uint8)  # dword, pixel, neighbour
    mask[:, :3, 0], mask[:, :3, 1] = places[::2], second
    at, reads = (offset[::2].copy(), 16) if near else (offset, 8)
    laid = _in_halves(mask.reshape(-1, 16))
    return Gather(
        first,
        at,
        np.zeros_like(first),
        laid,
        weight,
        near=near,
        plain=False,
        reach=int(at.max()) + reads,
        reach_beside=0,
    )


def _in_halves(mask: Bytes) -> Bytes:
    """Of the eight pairs of a group, pair k beside pair k + 4: both halves of a wide vector in one load."""
    return mask.reshape(-1, 2, 4, 16).transpose(0, 2, 1, 3).reshape(-1, 16).copy()


_LAYOUTS = {
    PixelFormat.BGR: _three,
    PixelFormat.RGB: _three,
    PixelFormat.GRAY: _one,
    PixelFormat.YUYV: _yuyv,
    PixelFormat.NV12: _nv12,
}
