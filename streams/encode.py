"""Frames as JPEG, of a quality or within so many bytes. A camera's own JPEG stays untouched where it fits."""

import math
from typing import NamedTuple

import numpy as np
import simplejpeg

from kernels import convert
from kernels.formats import Picture, PixelFormat, picture_size
from streams import segments
from streams.frame import Frame
from streams.segments import read_comment
from streams.whole import whole_picture

__all__ = ["Encoder", "fit", "jpeg", "read_comment"]

QUALITY = 80  # 1..100
POOREST = 30  # below this a smaller picture says more than a poorer one
SMALLEST = (160, 120)  # pixels, the longer side and the shorter one: less than this is withheld

_QUALITY_TRIES = 3
_TRIES = 9  # for quality and size together
_ROOM = 0.92  # aimed at, so that the next picture, a little busier, fits at once
_STEP_UP = 4  # quality regained with a picture that leaves room

_COLOURS = {PixelFormat.BGR: "BGR", PixelFormat.RGB: "RGB", PixelFormat.GRAY: "GRAY"}


class _Setting(NamedTuple):
    """quality 1..100, and scale, output pixels for each input pixel, at most 1."""

    quality: int
    scale: float


def jpeg(pixels: Picture, format: PixelFormat = PixelFormat.BGR, quality: int = QUALITY) -> bytes:  # noqa: A002
    """A picture of any PixelFormat as JPEG with 4:2:0 colour; quality 1..100.

    Raises TypeError and ValueError for what is no such picture, ValueError for another quality.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"the quality of a JPEG is 1 to 100, not {quality}")
    picture_size(pixels, format)
    if format not in _COLOURS:
        return jpeg(convert(pixels, format), PixelFormat.BGR, quality)
    gray = format is PixelFormat.GRAY
    encoded: bytes = simplejpeg.encode_jpeg(
        pixels.reshape(*pixels.shape[:2], 1) if gray else pixels,
        quality=quality,
        colorspace=_COLOURS[format],
        colorsubsampling="Gray" if gray else "420",
    )
    return encoded


def fit(frame: Frame, max_bytes: int | None, quality: int, frame_id: int, ts_ms: int) -> bytes | None:
    """One frame as a JPEG of at most `max_bytes`, see Encoder, which is cheaper for many of them."""
    return Encoder(quality).fit(frame, max_bytes, frame_id, ts_ms)


class Encoder:
    """Fits the frames of one stream into a budget, and remembers what fitted. For one thread at a time.

    quality: 1..100, used where there is room. Where there is none, quality falls first, down to 30, then the
    size, down to 160x120.
    """

    def __init__(self, quality: int = QUALITY) -> None:
        if not 1 <= quality <= 100:
            raise ValueError(f"the quality of a JPEG is 1 to 100, not {quality}")
        self._best = _Setting(quality, 1.0)
        self._poorest = min(quality, POOREST)
        self._used = self._best

    def fit(self, frame: Frame, max_bytes: int | None, frame_id: int, ts_ms: int) -> bytes | None:
        """A JPEG with {"id", "ts_ms"} in a comment segment, at most `max_bytes` long (None: no bound).

        It is the camera's own where that fits with the comment, and with standard Huffman tables if it has
        none. None is returned where the picture would have to be smaller than 160x120.
        """
        fields = {"id": frame_id, "ts_ms": ts_ms}
        own = _own(frame, fields, max_bytes)
        if own is not None:
            return own
        bound = None if max_bytes is None else max_bytes - len(segments.comment(fields))
        encoded = self._encode_within(frame, bound)
        return None if encoded is None else segments.with_comment(encoded, fields)

    def _encode_within(self, frame: Frame, bound: int | None) -> bytes | None:
        pixels, layout = whole_picture(frame)
        if layout not in _COLOURS:
            pixels, layout = convert(pixels, layout), PixelFormat.BGR
        smallest = _smallest_scale(frame)
        setting = self._used if bound is not None else self._best
        for attempt in range(_TRIES):
            last = attempt == _TRIES - 1
            setting = setting._replace(scale=smallest if last else max(setting.scale, smallest))
            encoded = jpeg(_scaled(pixels, setting.scale), layout, setting.quality)
            if bound is None or len(encoded) <= bound:
                self._used = self._next_time(setting, len(encoded), bound)
                return encoded
            lesser = self._lesser(setting, len(encoded) / bound if bound > 0 else math.inf, attempt)
            if setting.scale <= smallest and lesser.scale < smallest:
                break
            setting = lesser
        self._used = _Setting(self._poorest, smallest)
        return None

    def _lesser(self, setting: _Setting, excess: float, attempt: int) -> _Setting:
        """The next try for a picture that is `excess` times too long."""
        if setting.quality > self._poorest:
            # Bytes grow about as quality does; the last such try takes the poorest at once.
            guess = setting.quality * _ROOM / excess if attempt < _QUALITY_TRIES - 1 else 0.0
            return setting._replace(quality=max(self._poorest, min(round(guess), setting.quality - 1)))
        return setting._replace(scale=setting.scale * min(0.9, math.sqrt(_ROOM / excess)))

    def _next_time(self, setting: _Setting, length: int, bound: int | None) -> _Setting:
        """What to begin with next: the same, or a little more where this left room. Size comes back first."""
        if bound is None or setting == self._best or length > bound * _ROOM * _ROOM:
            return setting
        if setting.scale < 1.0:
            return setting._replace(
                scale=min(1.0, setting.scale * min(1.5, math.sqrt(_ROOM * bound / length)))
            )
        return setting._replace(quality=min(self._best.quality, setting.quality + _STEP_UP))


def _own(frame: Frame, fields: dict[str, int], max_bytes: int | None) -> bytes | None:
    """The camera's own JPEG with the comment, where there is one, it is whole, and it fits."""
    if frame.jpeg is None or frame.veil is not None:
        return None
    try:
        whole = segments.with_comment(segments.completed(frame.jpeg), fields)
    except ValueError:
        return None
    return whole if max_bytes is None or len(whole) <= max_bytes else None


def _smallest_scale(frame: Frame) -> float:
    """The scale at which one side is as short as it may be; a picture small by birth stays as it is."""
    longer, shorter = max(frame.size), min(frame.size)
    return min(1.0, max(SMALLEST[0] / longer, SMALLEST[1] / shorter))


def _scaled(pixels: Picture, scale: float) -> Picture:
    if scale >= 1.0:
        return pixels
    height, width = pixels.shape[:2]
    # Rounded up: at the smallest scale no side may lose the pixel that keeps it large enough.
    size = (math.ceil(width * scale - 1e-6), math.ceil(height * scale - 1e-6))
    import cv2  # only here: most pictures keep their size, and it takes long to load

    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
