"""JPEG bytes to pixels, into a buffer that is used again."""

import simplejpeg

from kernels.formats import Picture
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
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError as error:
        raise BadFrame(f"a picture of {len(data)} bytes is no JPEG: {error}") from None
    if colours in ("CMYK", "YCCK"):
        raise BadFrame(f"a JPEG of {width}x{height} has the colours {colours}, which no camera makes")
    pixels = pool.take((height, width, 3))
    try:
        simplejpeg.decode_jpeg(data, colorspace="BGR", buffer=pixels)
    except ValueError as error:
        if _HARMLESS not in str(error):
            raise BadFrame(f"a JPEG of {width}x{height} is damaged: {error}") from None
        simplejpeg.decode_jpeg(data, colorspace="BGR", buffer=pixels, strict=False)
    return pixels


def decode_shrunk(data: bytes, needed: tuple[int, int], pool: Pool) -> Picture:
    """The picture as BGR, at 1/8, 1/4 or 1/2 of its size where that holds `needed`, in an array of the pool.

    needed: (height, width) in pixels, what the picture is scaled to afterwards; where no part is large enough it
    comes whole. Decoding a part skips most of the arithmetic and averages what scaling would pass over; colours
    are spread over their pixels the fast way. Raises BadFrame for data that is no JPEG, is cut short or damaged.
    """
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
        sizes = ((-(-height // part), -(-width // part)) for part in _PARTS)
        size = next(
            (each for each in sizes if each[0] >= needed[0] and each[1] >= needed[1]), (height, width)
        )
        pixels = pool.take((*size, 3))
        simplejpeg.decode_jpeg(
            data,
            colorspace="BGR",
            fastdct=True,
            fastupsample=True,
            min_height=size[0],
            min_width=size[1],
            buffer=pixels,
        )
    except ValueError as error:
        raise BadFrame(f"a picture of {len(data)} bytes is no JPEG that can be read: {error}") from None
    return pixels
