"""JPEG bytes to pixels, into a buffer that is used again."""

import simplejpeg

from kernels.formats import Picture
from streams.errors import BadFrame
from streams.sources.pool import Pool

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
