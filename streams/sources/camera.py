"""A camera through V4L2: its own JPEG bytes where it has them, its driver's times, no old picture."""

import sys
from collections.abc import Callable
from pathlib import Path

import cv2

from kernels.formats import Picture, PixelFormat, picture_size
from streams.detail import Detail
from streams.errors import BadFrame, SourceInvalid, SourceUnavailable
from streams.sources import Shot, mjpeg
from streams.sources.capture import Capture, fourcc, open_device
from streams.sources.devices import HERE, Roots, device_name, why_refused
from streams.sources.pool import Pool

_JPEG = ("MJPG", "JPEG")
# Handed on as they come. OpenCV would convert them, NV12 with red and blue exchanged in some versions.
_RAW = {"YUYV": PixelFormat.YUYV, "YUY2": PixelFormat.YUYV, "NV12": PixelFormat.NV12}
_GIVE_UP_RAW = 3  # so many first pictures that are no JPEG, and the camera's bytes are no longer asked for


def device(text: str) -> str | int:
    """The device that `camera:TEXT` or a path means: a path on Linux, a number elsewhere.

    Raises SourceInvalid for anything but a number or an absolute path, and for a path of something else.
    """
    text = text.strip()
    if text.isdecimal():
        return f"/dev/video{int(text)}" if sys.platform == "linux" else int(text)
    if text.startswith("/"):
        path = Path(text)
        if path.exists() and not path.is_char_device():
            raise SourceInvalid(f"{text} is no device, so it cannot be a camera")
        return text
    raise SourceInvalid(
        f"camera:{text} names no camera; write its number, camera:0, or its path, /dev/video0"
    )


class Camera:
    """Reads one camera. Asks for MJPG, which gives the full size and rate over USB, and takes what it gets.

    Shots are BGR beside the camera's JPEG bytes, or YUYV or NV12 as it came, or else BGR as OpenCV converts it;
    stamped with the driver's time. size: (width, height) in pixels, rate: pictures a second; None leaves the
    choice to the camera. detail: how much of each JPEG to decode.
    """

    live = True
    notice: str | None = None

    def __init__(
        self,
        device: str | int,
        size: tuple[int, int] | None = None,
        rate: float | None = None,
        *,
        detail: Detail | None = None,
        opener: Callable[[str | int], Capture | None] = open_device,
        roots: Roots = HERE,
    ) -> None:
        self._device = device
        self._size = size
        self._rate = rate
        self._opener = opener
        self._roots = roots
        self._detail = detail or Detail()
        self._pool = Pool()
        self._capture: Capture | None = None
        self._format = ""
        self._raw = False
        self._odd = 0
        self._shape: tuple[int, ...] = (1, 1, 3)
        self._told = f"camera {device}"

    def describe(self) -> str:
        return self._told

    def open(self) -> None:
        self.close()
        capture = self._opener(self._device)
        if capture is None:
            raise self._refused()
        self._settle(capture)
        self._capture = capture
        self._odd = 0
        self._told = self._tell(capture)

    def read(self) -> Shot | None:
        capture = self._capture
        if capture is None:
            raise SourceUnavailable(f"{self._told} is not open")
        into = None if self._raw and self._format in _JPEG else self._pool.take(self._shape)
        read, picture = capture.read(into)
        if not read or picture is None or not picture.size:
            raise SourceUnavailable(f"{self._told} delivers nothing any more: unplugged, or its driver hangs")
        return self._shot(picture, capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)

    def close(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def _refused(self) -> SourceUnavailable:
        if isinstance(self._device, str):
            return why_refused(self._device, self._roots)
        return SourceUnavailable(
            f"camera {self._device} cannot be opened: is it plugged in, and may this program use cameras?"
        )

    def _settle(self, capture: Capture) -> None:
        """What cannot be had, the driver ignores: it is told in `describe`, not an error."""
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        if self._size is not None:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._size[1])
        if self._rate is not None:
            capture.set(cv2.CAP_PROP_FPS, self._rate)
        self._format = fourcc(capture)
        self._raw = self._format in (*_JPEG, *_RAW) and capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)

    def _tell(self, capture: Capture) -> str:
        name = device_name(self._device, self._roots) if isinstance(self._device, str) else ""
        width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        rate = capture.get(cv2.CAP_PROP_FPS)
        paced = f" at {rate:g} a second" if rate > 0 else ""
        called = f" ({name})" if name else ""
        form = self._format or "format unknown"
        return f"camera {self._device}{called}, {form} {width:.0f}x{height:.0f}{paced}"

    def _shot(self, picture: Picture, stamp: float) -> Shot:
        told = stamp if stamp > 0 else None
        if picture.ndim == 3 and picture.shape[2] == 3:
            self._shape = picture.shape
            return Shot(picture, PixelFormat.BGR, told)
        if self._raw and self._format in _JPEG:
            return self._from_jpeg(picture.tobytes(), told)
        return self._as_it_came(picture, told)

    def _as_it_came(self, picture: Picture, stamp: float | None) -> Shot:
        layout = _RAW.get(self._format, PixelFormat.BGR)
        try:
            picture_size(picture, layout)
        except (TypeError, ValueError) as error:
            raise BadFrame(f"{self._told} gave a picture that cannot be read: {error}") from None
        self._shape = picture.shape
        return Shot(picture, layout, stamp)

    def _from_jpeg(self, data: bytes, stamp: float | None) -> Shot:
        if not mjpeg.is_jpeg(data):
            self._count_odd()
            raise BadFrame(f"{self._told} gave {len(data)} bytes that are no JPEG")
        pixels, whole = mjpeg.decode_for(data, self._detail, self._pool)
        self._odd = -1
        return Shot(pixels, PixelFormat.BGR, stamp, jpeg=data, whole=whole)

    def _count_odd(self) -> None:
        if self._odd < 0:
            return
        self._odd += 1
        if self._odd >= _GIVE_UP_RAW and self._capture is not None:
            self._raw = False
            self._capture.set(cv2.CAP_PROP_CONVERT_RGB, 1)
