"""All of a frame's picture, also where its pixels are only the part that the model needed."""

from kernels.formats import Picture, PixelFormat
from streams.frame import Frame
from streams.sources import mjpeg
from streams.sources.pool import Pool


def whole_picture(frame: Frame) -> tuple[Picture, PixelFormat]:
    """The picture in its full size, uint8, and its layout; decoded now where the frame holds a part of it.

    For threads beside the loop: decoding takes milliseconds. Private zones are covered. Raises BadFrame for a JPEG
    that is damaged.
    """
    if frame.veil is not None:
        return frame.veil.whole(frame)
    if frame.whole is None or frame.jpeg is None:
        return frame.pixels, frame.format
    return mjpeg.decode(frame.jpeg, Pool()), PixelFormat.BGR
