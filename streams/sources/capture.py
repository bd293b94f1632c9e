"""The one door to OpenCV's video capture, and the place where OpenCV and FFmpeg are told to be silent.

Both write to stderr whatever goes wrong, with the address as it was given: user, password and all. So neither
may say anything, whatever the environment asks; what went wrong is said by our own errors, redacted.
"""

import os
import sys
from collections.abc import Sequence
from typing import Protocol, cast

import cv2

from kernels.formats import Picture

OPEN_TIMEOUT_S = 10.0  # some cameras send a whole picture, which opening waits for, only every few seconds
READ_TIMEOUT_S = 5.0

os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"  # AV_LOG_QUIET, read by OpenCV when it first opens something
for _chatty in ("OPENCV_FFMPEG_DEBUG", "OPENCV_VIDEOIO_DEBUG", "OPENCV_VIDEOCAPTURE_DEBUG"):
    os.environ.pop(_chatty, None)
# UDP, FFmpeg's own choice, smears pictures wherever a packet is lost. Whoever needs it sets the variable.
os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
# OpenCV waits ten seconds for a camera that has stopped.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(round(READ_TIMEOUT_S)))
_SILENT = 0  # LOG_LEVEL_SILENT
(getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel)(_SILENT)  # OpenCV 4, OpenCV 5


class Capture(Protocol):
    """What is used of cv2.VideoCapture."""

    def isOpened(self) -> bool: ...  # noqa: N802
    def read(self, image: Picture | None = None) -> tuple[bool, Picture | None]: ...
    def get(self, propId: int) -> float: ...  # noqa: N803
    def set(self, propId: int, value: float) -> bool: ...  # noqa: N803
    def release(self) -> None: ...


def open_video(target: str) -> Capture | None:
    """Open a file or a stream through FFmpeg; None where that does not succeed within OPEN_TIMEOUT_S."""
    limits = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        round(OPEN_TIMEOUT_S * 1000),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        round(READ_TIMEOUT_S * 1000),
    ]
    return _opened(target, cv2.CAP_FFMPEG, limits)


def open_device(device: str | int) -> Capture | None:
    """Open a camera by path or number; None where that does not succeed."""
    return _opened(device, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY, [])


def _opened(target: str | int, backend: int, settings: Sequence[int]) -> Capture | None:
    try:
        capture = cast(Capture, cv2.VideoCapture(target, backend, settings))
    except cv2.error:
        return None
    if capture.isOpened():
        return capture
    capture.release()
    return None


def fourcc(capture: Capture) -> str:
    """The four letters of the format that is delivered, such as MJPG; in capitals, empty where unknown."""
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    return code.to_bytes(4, "little").decode("latin-1").strip(" \0").upper() if 0 < code < 1 << 32 else ""
