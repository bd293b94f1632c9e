"""Video files of one side of one source: H.264 in MP4, in pieces that stay playable whatever ends the program.

Nothing to do with recordings for replay, which lose nothing and are no video: see edge/recorder.py.
"""

import contextlib
import dataclasses
import logging
import os
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import av.error

from kernels import convert
from kernels.formats import Picture, PixelFormat
from streams import clock as wall
from streams.frame import Frame
from streams.pace import Rate
from streams.sinks.album import Paint, Side, give_way
from streams.sinks.reels import Reels
from streams.whole import whole_picture

log = logging.getLogger(__name__)

TICKS = 90_000  # a second, of the times in a file
KEY_EVERY_S = 2.0  # so much is lost at most when the program is killed
TRY_AGAIN_S = 30.0  # after a disk that is full
MOVFLAGS = "frag_keyframe+empty_moov+default_base_moof"
H264: dict[str, str] = {"preset": "veryfast", "tune": "zerolatency", "crf": "23", "threads": "1"}
MPEG4: dict[str, str] = {"qscale": "4", "threads": "1"}


@dataclasses.dataclass(frozen=True)
class Bounds:
    """rate: pictures a second at most. segment: seconds of one file. max_bytes: of all files of one stream together,
    max_seconds likewise (None: no bound); beyond either the oldest files go.
    """

    rate: float = 10.0
    segment: float = 300.0
    max_bytes: int = 1 << 30
    max_seconds: float | None = None


def encoder_name() -> str:
    """H.264 where the installed library can write it, else MPEG-4 part 2."""
    return "libx264" if "libx264" in av.codecs_available else "mpeg4"


class VideoRecording:
    """Takes frames of one side, and writes them with the times at which they were captured.

    `take` belongs to the loop: it never blocks; a picture that comes while one is written waits, and a newer one
    replaces it, which `missed` counts. `written` counts pictures in files, `failures` files that ended early.
    Raises SinkInvalid where the folder cannot be used.
    """

    def __init__(
        self,
        source: str,
        side: Side,
        folder: Path,
        bounds: Bounds = Bounds(),  # frozen
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = wall.wall_ms,
    ) -> None:
        self.source, self.side = source, side
        self.written = self.missed = self.failures = 0
        self.trouble: str | None = None
        self._reels = Reels(folder, f"{source}-{side}", ".mp4")
        self._bounds, self._clock, self._wall_ms = bounds, clock, wall_ms
        self._rate = Rate(bounds.rate)
        self._changed = threading.Condition()
        self._waiting: tuple[Frame, Paint | None] | None = None
        self._ended = False
        self._file: _VideoFile | None = None
        self._not_before = 0.0
        self._thread = threading.Thread(target=self._run, name=f"video-{source}-{side}", daemon=True)

    def start(self) -> None:
        """Begins to write what is taken."""
        self._thread.start()

    def take(self, frame: Frame, paint: Paint | None) -> None:
        if not self._rate.due(self._clock()):
            return
        with self._changed:
            self.missed += self._waiting is not None
            self._waiting = (frame, paint)
            self._changed.notify()

    def stop(self, timeout: float = 2.0) -> None:
        """Ends the file."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def figures(self) -> dict[str, Any]:
        """How it goes, for a command's answer or a report."""
        return {
            "source": self.source,
            "stream": self.side,
            "pictures": self.written,
            "missed": self.missed,
            "bytes": self._reels.size,
            "files": [path.name for path in self._reels.paths],
            "error": self.trouble,
        }

    def _run(self) -> None:
        give_way()
        while (taken := self._next()) is not None:
            if self._clock() < self._not_before:
                self.missed += 1
                continue
            try:
                self._write(*taken)
            except (OSError, ValueError, av.error.FFmpegError) as error:
                self._fail(error)
        self._close()

    def _next(self) -> tuple[Frame, Paint | None] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is not None or self._ended)
            taken, self._waiting = self._waiting, None
            return taken if taken is not None or not self._ended else None

    def _write(self, frame: Frame, paint: Paint | None) -> None:
        pixels = picture_of(frame) if paint is None else paint()
        file = self._file_for(pixels, frame)
        file.add(pixels, frame.captured_at)
        self._reels.grown(file.size)
        self.written += 1
        self.trouble = None

    def _file_for(self, pixels: Picture, frame: Frame) -> "_VideoFile":
        """The file that this picture belongs into: a new one for another size, a full one, or one long enough."""
        file = self._file
        if file is not None and not (
            file.shape == pixels.shape
            and 0.0 <= frame.captured_at - file.began < self._bounds.segment
            and file.size < self._bounds.max_bytes // 4
        ):
            self._close()
            file = None
        if file is None:
            self._make_room()
            taken_ms = self._wall_ms() - round((self._clock() - frame.captured_at) * 1000)
            path, descriptor = self._reels.new(taken_ms)
            file = self._file = _VideoFile(path, descriptor, pixels, frame.captured_at, self._bounds.rate)
        return file

    def _make_room(self) -> None:
        bounds = self._bounds
        most = None if bounds.max_seconds is None else max(1, int(bounds.max_seconds // bounds.segment))
        self._reels.trim(bounds.max_bytes * 3 // 4, None if most is None else most - 1)

    def _fail(self, error: Exception) -> None:
        self.failures += 1
        told = getattr(error, "strerror", None) or str(error)
        sentence = (
            f"the video of {self.source} ({self.side}) cannot be written to {self._reels.folder}: {told}"
        )
        if self.trouble is None:
            log.warning("%s; it is tried again every %g s", sentence, TRY_AGAIN_S)
        self.trouble = sentence
        self._not_before = self._clock() + TRY_AGAIN_S
        self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.close()
        except (OSError, ValueError, av.error.FFmpegError) as error:
            if self.trouble is None:
                self.failures += 1
                self.trouble = f"the end of {file.path} was not written: {error}"
                log.warning("%s", self.trouble)
        self._reels.settled(file.path)


class _VideoFile:
    """One MP4 of fragments, each written as soon as it is whole."""

    def __init__(self, path: Path, descriptor: int, pixels: Picture, began: float, rate: float) -> None:
        self.path, self.began, self.shape = path, began, pixels.shape
        self._out = _Out(descriptor)
        self._last, self._waiting = -1, 0
        try:
            self._container = av.open(self._out, "w", format="mp4", options={"movflags": MOVFLAGS})
            self._stream = self._opened_stream(pixels, rate)
        except BaseException:
            self._out.close()
            raise

    def _opened_stream(self, pixels: Picture, rate: float) -> Any:
        name = encoder_name()
        stream = cast(Any, self._container.add_stream(name, rate=max(1, round(rate))))
        stream.height, stream.width = (side - side % 2 for side in pixels.shape[:2])
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
        stream.codec_context.gop_size = max(1, round(rate * KEY_EVERY_S))
        stream.codec_context.max_b_frames = 0
        stream.options = H264 if name == "libx264" else MPEG4
        return stream

    @property
    def size(self) -> int:
        """Bytes written, and those that wait for the end of their fragment."""
        return self._out.size + self._waiting

    def add(self, pixels: Picture, captured_at: float) -> None:
        """Appends a BGR picture, captured at so many monotonic seconds."""
        even = pixels[: self._stream.height, : self._stream.width]
        picture = av.VideoFrame.from_ndarray(even.copy() if even.shape != pixels.shape else even, "bgr24")
        self._last = max(self._last + 1, round((captured_at - self.began) * TICKS))
        picture.pts, picture.time_base = self._last, Fraction(1, TICKS)
        packets, before = self._stream.encode(picture), self._out.size
        self._waiting += sum(packet.size for packet in packets)
        self._container.mux(packets)
        if self._out.size > before:
            self._waiting = 0
        self._out.raise_trouble()

    def close(self) -> None:
        try:
            if not self._out.trouble:
                self._container.mux(self._stream.encode(None))
        finally:
            with contextlib.suppress(OSError, av.error.FFmpegError):
                self._container.close()
            self._out.close()
        self._out.raise_trouble()


class _Out:
    """The file as PyAV wants it: all of a write, or an error that is remembered."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size = 0
        self.trouble: OSError | None = None

    def write(self, data: bytes) -> int:
        rest = memoryview(data)
        try:
            while rest:
                count = os.write(self._descriptor, rest)
                self.size += count
                rest = rest[count:]
        except OSError as error:
            self.trouble = error
            raise
        return len(data)

    def raise_trouble(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def picture_of(frame: Frame) -> Picture:
    """All of a frame's picture as BGR, for a thread beside the loop."""
    pixels, layout = whole_picture(frame)
    return pixels if layout is PixelFormat.BGR else convert(pixels, layout)
