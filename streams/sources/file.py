"""A recorded video, here or on a server: every picture, as fast as they are taken or at its own rate."""

import time
from collections.abc import Callable
from pathlib import Path

from streams.detail import Detail
from streams.errors import BadFrame, SourceError, SourceInvalid, SourceUnavailable
from streams.sources import Shot
from streams.sources.capture import open_video
from streams.sources.pool import Pool
from streams.sources.timing import Timing
from streams.sources.video import Opener, Video

_SNIFFED = 512
_USUAL_RATE = 25.0


def local_file(
    path: Path,
    *,
    rate: float | None,
    loop: bool,
    realtime: bool,
    detail: Detail | None = None,
    clock: Callable[[], float],
) -> "VideoFile":
    """The reader for a file that exists. Raises SourceInvalid for what is certainly no video."""
    _check(path)
    # An absolute path has no colon that FFmpeg could read as a protocol.
    return VideoFile(
        str(path.resolve()), str(path), rate=rate, loop=loop, realtime=realtime, detail=detail, clock=clock
    )


class VideoFile:
    """Plays a video from its first picture to its last.

    target: what FFmpeg opens; label: what people read, without secrets. recorded: a file, whose failure to
    open is final; False: on a server, which may come back. rate: pictures a second at pace realtime, instead
    of the video's. detail: how much of each picture of an MJPEG video to decode. A damaged one of these raises
    BadFrame; other codecs leave it out, which `notice` tells at the end.
    """

    live = False

    def __init__(
        self,
        target: str,
        label: str,
        *,
        recorded: bool = True,
        rate: float | None = None,
        loop: bool = False,
        realtime: bool = False,
        detail: Detail | None = None,
        clock: Callable[[], float] = time.monotonic,
        opener: Opener = open_video,
    ) -> None:
        self._target = target
        self._label = label
        self._recorded = recorded
        self._loop = loop
        self._timing = Timing(realtime, rate, clock)
        self._opener = opener
        self._detail = detail or Detail()
        self._pool = Pool()
        self._video: Video | None = None
        self._next: Shot | BadFrame | None = None
        self._ended = False
        self._good = self._bad = 0
        self._told = f"video {label}"
        self.notice: str | None = None

    def describe(self) -> str:
        return self._told

    def open(self) -> None:
        self.close()
        self._ended, self.notice = False, None
        self._timing.begin()
        video = self._start()
        promised = f", {video.frames} pictures" if video.frames else ""
        self._told = (
            f"video {self._label}, {video.size[0]}x{video.size[1]} at {video.rate:g} a second{promised}"
        )

    def read(self) -> Shot | None:
        if self._ended:
            return None
        shot = self._taken()
        if shot is None:
            self._finish()
            shot = None if self._ended else self._taken()
        if isinstance(shot, BadFrame):
            raise shot
        return shot

    def close(self) -> None:
        video, self._video = self._video, None
        self._next = None
        if video is not None:
            video.close()

    def _start(self) -> Video:
        """Open and read until the first picture, so that whatever is no video says so here."""
        self._good = self._bad = 0
        video = Video.open(self._target, self._pool, self._detail, self._opener)
        if video is None:
            raise self._unreadable("no video that can be read")
        self._video = video
        self._next = self._advance(video)
        if self._next is None or isinstance(self._next, BadFrame):
            self.close()
            raise self._unreadable("a video whose first picture cannot be read")
        return video

    def _unreadable(self, what: str) -> SourceError:
        if self._recorded:
            return SourceInvalid(f"{self._label} is {what}; it may be cut short, or not be a video at all")
        return SourceUnavailable(f"{self._label} is {what}, or its server is away")

    def _taken(self) -> Shot | BadFrame | None:
        if self._video is None:
            raise SourceUnavailable(f"{self._told} is not open")
        shot, self._next = self._next, None
        return shot or self._advance(self._video)

    def _advance(self, video: Video) -> Shot | BadFrame | None:
        try:
            shot = video.read()
        except BadFrame as error:
            self._bad += 1
            return BadFrame(f"picture {self._good + self._bad} of {self._label}: {error}")
        if shot is None:
            return None
        self._good += 1
        return shot._replace(due=self._timing.due(video.position))

    def _finish(self) -> None:
        """At the last picture: begin anew where asked to, else end."""
        if self._video is None:
            return
        self._take_stock(self._video)
        period = 1 / (self._video.rate or _USUAL_RATE)
        self.close()
        self._ended = not self._loop
        if self._loop:
            self._timing.again(period)
            self._start()

    def _take_stock(self, video: Video) -> None:
        """Some headers only estimate how many pictures there are; a real gap is larger than such an error."""
        missing = video.frames - self._good - self._bad
        if missing > max(2, video.frames // 50):
            self.notice = (
                f"{self._label} promises {video.frames} pictures, but only {self._good} could be read: "
                "it is cut short or damaged"
            )


def _check(path: Path) -> None:
    if not path.is_file():
        raise SourceInvalid(f"{path} is neither a file nor a folder")
    try:
        with path.open("rb") as file:
            start = file.read(_SNIFFED)
    except OSError as error:
        raise SourceInvalid(f"{path} cannot be read: {error.strerror}") from None
    if not start:
        raise SourceInvalid(f"{path} is empty")
    if all(32 <= byte < 127 or byte in b"\t\r\n\f" for byte in start):
        raise SourceInvalid(f"{path} is a text, not a video")
