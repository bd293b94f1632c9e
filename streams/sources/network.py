"""A network camera, an MJPEG stream, or a video on a server."""

import logging
from collections.abc import Callable
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from streams.detail import Detail
from streams.errors import SourceUnavailable
from streams.redact import redact_uri
from streams.sources import Reader, Shot
from streams.sources.capture import READ_TIMEOUT_S, open_video
from streams.sources.file import VideoFile
from streams.sources.pool import Pool
from streams.sources.video import Opener, Video

RECORDED = frozenset({".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".webm"})

log = logging.getLogger(__name__)


def network(
    url: str,
    *,
    rate: float | None,
    loop: bool,
    realtime: bool,
    detail: Detail | None = None,
    clock: Callable[[], float],
) -> Reader:
    """The reader for a valid URL: a video by the ending of its path over HTTP, else a live stream."""
    label = redact_uri(url)
    parts = urlsplit(url)
    if parts.scheme.lower() in ("http", "https") and PurePosixPath(parts.path).suffix.lower() in RECORDED:
        return VideoFile(
            url,
            label,
            recorded=False,
            rate=rate,
            loop=loop,
            realtime=realtime,
            detail=detail,
            clock=clock,
        )
    if rate is not None:
        log.warning("%s sets its own rate; `rate` is for cameras, files and folders, and synthetic:", label)
    return NetworkCamera(url, label, detail)


class NetworkCamera:
    """Reads one live stream, RTSP over TCP. MJPEG comes with the camera's own JPEG bytes.

    url may hold user and password, label holds none. detail: how much of each JPEG to decode. A stream that
    answers nothing for a few seconds is lost.
    """

    live = True
    notice: str | None = None

    def __init__(
        self, url: str, label: str, detail: Detail | None = None, *, opener: Opener = open_video
    ) -> None:
        self._url = url
        self._label = label
        self._opener = opener
        self._detail = detail or Detail()
        self._pool = Pool()
        self._video: Video | None = None
        self._told = f"stream {label}"

    def describe(self) -> str:
        return self._told

    def open(self) -> None:
        self.close()
        video = Video.open(self._url, self._pool, self._detail, self._opener)
        if video is None:
            raise SourceUnavailable(
                f"stream {self._label} cannot be opened: is the address right, with user and password "
                "where it wants them, and does its host answer?"
            )
        self._video = video
        self._told = f"stream {self._label}, {video.codec or 'codec unknown'} {video.size[0]}x{video.size[1]}"

    def read(self) -> Shot | None:
        if self._video is None:
            raise SourceUnavailable(f"stream {self._label} is not open")
        shot = self._video.read()
        if shot is None:
            raise SourceUnavailable(
                f"stream {self._label} broke off, or sent nothing for {READ_TIMEOUT_S:g} s"
            )
        return shot

    def close(self) -> None:
        video, self._video = self._video, None
        if video is not None:
            video.close()
