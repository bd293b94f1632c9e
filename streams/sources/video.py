"""A video or stream that FFmpeg has opened: its pictures one by one, and what its header says."""

from collections.abc import Callable

import cv2

from streams.detail import Detail
from streams.errors import BadFrame
from streams.sources import Shot, mjpeg
from streams.sources.capture import Capture, fourcc, open_video
from streams.sources.pool import Pool

# FFmpeg draws any text as pictures of a terminal; nobody means that.
_TEXT = frozenset({"ANSI", "BINT", "XBIN", "IDF"})
_MANY = 1 << 40  # a picture count beyond this is FFmpeg's way of not knowing

Opener = Callable[[str], Capture | None]


class Video:
    """One opened capture. Pictures are BGR in arrays of the pool; MJPEG comes with its own JPEG bytes.

    frames: how many pictures the header promises, 0 where it says nothing. rate: pictures a second, 0
    likewise. detail: how much of each JPEG of an MJPEG is decoded.
    """

    def __init__(self, capture: Capture, pool: Pool, detail: Detail) -> None:
        self._capture = capture
        self._pool = pool
        self._detail = detail
        self.codec = fourcc(capture)
        self.frames = _number(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.rate = max(0.0, capture.get(cv2.CAP_PROP_FPS))
        self.size = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        self._shape: tuple[int, ...] = (self.size[1], self.size[0], 3)
        self._raw = self.codec == "MJPG" and capture.set(cv2.CAP_PROP_FORMAT, -1)

    @classmethod
    def open(cls, target: str, pool: Pool, detail: Detail, opener: Opener = open_video) -> "Video | None":
        """None where FFmpeg finds no pictures there."""
        capture = opener(target)
        if capture is None:
            return None
        video = cls(capture, pool, detail)
        if video.codec in _TEXT or min(video.size) < 1:
            video.close()
            return None
        return video

    @property
    def position(self) -> float:
        """When the last picture is to be shown, seconds from the start."""
        return self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000

    def read(self) -> Shot | None:
        """The next picture; None where no more comes. Raises BadFrame for a bad JPEG."""
        read, picture = self._capture.read(None if self._raw else self._pool.take(self._shape))
        if not read or picture is None or not picture.size:
            return None
        if picture.ndim == 2:
            return self._from_jpeg(picture.tobytes())
        self._shape = picture.shape
        return Shot(picture)

    def close(self) -> None:
        self._capture.release()

    def _from_jpeg(self, data: bytes) -> Shot:
        if not mjpeg.is_jpeg(data):
            raise BadFrame(f"a picture of {len(data)} bytes is no JPEG")
        pixels, whole = mjpeg.decode_for(data, self._detail, self._pool)
        return Shot(pixels, jpeg=data, whole=whole)


def _number(count: float) -> int:
    return int(count) if 0 < count < _MANY else 0
