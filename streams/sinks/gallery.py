"""What is shown beside the messages, source by source: albums for viewers, files, and pipes.

The loop offers each frame once here, untouched and with its results; whoever wants a picture takes it from here.
"""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from kernels.formats import Picture, PixelFormat
from streams import clock as wall
from streams.errors import BadFrame
from streams.frame import Frame
from streams.sinks.album import RATE, Album, Darkroom, Paint, Side, Still

if TYPE_CHECKING:
    from streams.encode import Encoder

STILL_PATIENCE_S = 2.0


class Taker(Protocol):
    """Takes frames of one side of one source, such as a recording. Called by the loop: it must not block."""

    side: Side

    def take(self, frame: Frame, paint: Paint | None) -> None:
        """paint: gives the painted picture, later and on another thread; None for the side "device"."""
        ...


class Gallery:
    """The albums of some sources. `untouched`, `watched` and `offer` belong to the loop, the rest to any thread.

    quality: of the JPEGs, 1..100; darkroom: makes them, one for each source. rate: pictures a second of a source
    at most, for all who look together. clock: monotonic seconds.
    """

    def __init__(
        self,
        sources: Iterable[str] = (),
        *,
        quality: int = 80,
        rate: float = RATE,
        darkroom: Callable[[], Darkroom] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        develop = darkroom or (lambda: JpegDarkroom(quality, clock))
        self.albums = {name: Album(name, develop(), clock, rate) for name in sources}
        self._takers: dict[tuple[str, Side], tuple[Taker, ...]] = {}

    def start(self) -> None:
        """Begins to make pictures for whoever wants some."""
        for album in self.albums.values():
            album.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Ends every album within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        for album in self.albums.values():
            album.stop(0.0)
        for album in self.albums.values():
            album.stop(max(0.05, deadline - time.monotonic()))

    def add(self, source: str, taker: Taker) -> None:
        """From now on the taker gets each frame of its side of `source`."""
        where = (source, taker.side)
        self._takers[where] = (*self._takers.get(where, ()), taker)

    def remove(self, source: str, taker: Taker) -> None:
        """It gets no more."""
        where = (source, taker.side)
        left = tuple(each for each in self._takers.get(where, ()) if each is not taker)
        if left:
            self._takers[where] = left
        else:
            self._takers.pop(where, None)

    def untouched(self, frame: Frame) -> None:
        """Takes a frame as it came. Never blocks."""
        if self._takers:
            for taker in self._takers.get((frame.source, "device"), ()):
                taker.take(frame, None)

    def watched(self, source: str) -> bool:
        """Whether anybody looks at this source now, so that it is worth painting."""
        album = self.albums.get(source)
        return (album is not None and album.watched) or (source, "project") in self._takers

    def offer(self, frame: Frame, paint: Paint) -> None:
        """Takes a frame with its results. Never blocks: `paint` runs later, on other threads.

        paint: gives the frame's pixels with its results painted in, BGR (height, width, 3). It must not read
        what the loop changes meanwhile.
        """
        album = self.albums.get(frame.source)
        if album is not None:
            album.offer(frame, paint)
        for taker in self._takers.get((frame.source, "project"), ()):
            taker.take(frame, paint)

    def still(self, source: str, *, painted: bool = False, timeout: float = STILL_PATIENCE_S) -> Still | None:
        """A picture of `source` that is taken now: untouched, or with what the model saw painted in.

        Waits for the loop's next frame, so not for the loop itself to call. None where no frame came within
        `timeout` seconds; raises KeyError for a source that there is not.
        """
        return self.albums[source].still("project" if painted else "device", timeout)


class JpegDarkroom:
    """JPEGs by streams.encode, which is loaded for the first viewer, not by the import: it needs cv2."""

    def __init__(self, quality: int, clock: Callable[[], float]) -> None:
        self._quality, self._clock = quality, clock
        self._encoder: Encoder | None = None

    def device(self, frame: Frame) -> bytes:
        """The camera's own JPEG where there is one, with the frame's id and time in a comment segment."""
        from streams.encode import Encoder

        self._encoder = self._encoder or Encoder(self._quality)
        ts_ms = wall.wall_ms() - round((self._clock() - frame.captured_at) * 1000.0)
        made = self._encoder.fit(frame, None, frame.id, ts_ms)
        if made is None:
            raise BadFrame(f"a picture of {frame.source} is too small to be shown")
        return made

    def project(self, painted: Picture) -> bytes:
        from streams.encode import jpeg

        return jpeg(painted, PixelFormat.BGR, self._quality)
