"""JPEG bytes to pixels, into a buffer that is used again."""

from typing import Any

import simplejpeg

from kernels.formats import Picture
from streams.detail import Detail, Size
from streams.errors import BadFrame
from streams.sources.pool import Pool

# Parts of its size that a JPEG is decoded at: for these the decoder has vectors; 3/8 takes longer than 1/2.
_PARTS = (8, 4, 2)
_START = b"\xff\xd8"
# Some cameras put a stray byte before the end of every picture; it does no harm.
_HARMLESS = "extraneous bytes"


def is_jpeg(data: bytes) -> bool:
    """Whether the bytes begin as a JPEG does."""
    return data[:2] == _START


def decode(data: bytes, pool: Pool) -> Picture:
    """The picture as BGR, uint8 (height, width, 3), in an array of the pool.

    A camera's JPEG without Huffman tables is read with the standard ones. Raises BadFrame for data that is no
    JPEG, is cut short or damaged, or has four channels.
    """
    whole = _size(data)
    return _decoded(data, pool, whole, whole, {})


def decode_shrunk(data: bytes, needed: Size, pool: Pool) -> Picture:
    """The picture as BGR, at 1/8, 1/4 or 1/2 of its size where that holds `needed`, in an array of the pool.

    needed: (height, width) in pixels, what the picture is scaled to afterwards; where no part is large enough it
    comes whole. Decoding a part skips most of the arithmetic and averages what scaling would pass over; colours
    are spread over their pixels the fast way. Raises BadFrame as `decode` does.
    """
    return _shrunk(data, _size(data), needed, pool)


def decode_for(data: bytes, detail: Detail, pool: Pool) -> tuple[Picture, Size | None]:
    """The picture as BGR, as much of it as `detail` needs, and its whole (height, width) where that is more.

    Raises BadFrame as `decode` does.
    """
    needed = detail.needed
    if needed is None:
        return decode(data, pool), None
    size = _size(data)
    pixels = _shrunk(data, size, needed(size), pool)
    return pixels, None if pixels.shape[:2] == size else size


def _size(data: bytes) -> Size:
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError as error:
        raise BadFrame(f"a picture of {len(data)} bytes is no JPEG: {error}") from None
    if colours in ("CMYK", "YCCK"):
        raise BadFrame(f"a JPEG of {width}x{height} has the colours {colours}, which no camera makes")
    return height, width


def _shrunk(data: bytes, whole: Size, needed: Size, pool: Pool) -> Picture:
    sizes = ((-(-whole[0] // part), -(-whole[1] // part)) for part in _PARTS)
    size = next((each for each in sizes if each[0] >= needed[0] and each[1] >= needed[1]), whole)
    fast = {"fastdct": True, "fastupsample": True, "min_height": size[0], "min_width": size[1]}
    return _decoded(data, pool, whole, size, fast)


def _decoded(data: bytes, pool: Pool, whole: Size, size: Size, how: dict[str, Any]) -> Picture:
    pixels = pool.take((*size, 3))
    try:
        simplejpeg.decode_jpeg(data, colorspace="BGR", buffer=pixels, **how)
    except ValueError as error:
        if _HARMLESS not in str(error):
            raise BadFrame(f"a JPEG of {whole[1]}x{whole[0]} is damaged: {error}") from None
        simplejpeg.decode_jpeg(data, colorspace="BGR", buffer=pixels, strict=False, **how)
    return pixels
