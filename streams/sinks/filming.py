"""Video files that are being written: begun with the run, or started and stopped while it lasts.

filming.start("main", "project", seconds=60)    # as a command would
filming.stop("main", "project")                 # {"pictures": 598, "files": [...], ...}
"""

import importlib.util
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streams.sinks.album import Side
from streams.sinks.gallery import Gallery
from streams.sinks.gate import SinkInvalid

if TYPE_CHECKING:
    from streams.sinks.record import VideoRecording

EXTRA = "pip install 'lensracer[record]'"
ENDING_S = 2.0


class Filming:
    """At most one recording of each side of each source at a time, all in one folder. For any thread.

    begun: what is filmed from `start` on. rate, segment, max_bytes, max_seconds: see record.Bounds.
    Raises SinkInvalid where something is begun and PyAV is missing or the folder cannot be used.
    """

    def __init__(
        self,
        gallery: Gallery,
        folder: Path,
        begun: Iterable[tuple[str, Side]] = (),
        *,
        rate: float = 10.0,
        segment: float = 300.0,
        max_bytes: int = 1 << 30,
        max_seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gallery, self._folder, self._clock = gallery, folder, clock
        self._bounds = (rate, segment, max_bytes, max_seconds)
        self._lock = threading.Lock()
        self._timers: dict[tuple[str, Side], threading.Timer] = {}
        self._recordings: dict[tuple[str, Side], VideoRecording] = {}
        self._begun = {(name, side): self._recording(name, side) for name, side in begun}

    def start(self) -> None:
        """Begins what is filmed from the start."""
        for where, recording in self._begun.items():
            with self._lock:
                self._begin(where, recording)

    def record(self, source: str, side: Side, seconds: float | None = None) -> Path:
        """Begins to film; it ends by itself after so many seconds. The folder of the files.

        Raises KeyError for a source that there is not, SinkInvalid where it is filmed already, where PyAV is
        missing, or where the folder cannot be used.
        """
        where = (self._gallery.albums[source].source, side)
        with self._lock:
            if where in self._recordings:
                raise SinkInvalid(f"the {side} stream of {source} is filmed already")
            self._begin(where, self._recording(source, side))
            if seconds is not None:
                timer = self._timers[where] = threading.Timer(seconds, self.finish, where)
                timer.daemon = True
                timer.start()
        return self._folder

    def finish(self, source: str, side: Side) -> dict[str, Any] | None:
        """Ends it; what became of it, None where nothing was filmed."""
        with self._lock:
            recording = self._recordings.pop((source, side), None)
            timer = self._timers.pop((source, side), None)
        if timer is not None:
            timer.cancel()
        if recording is None:
            return None
        self._gallery.remove(source, recording)
        recording.stop(ENDING_S)
        return recording.figures()

    def stop(self, timeout: float = ENDING_S) -> None:
        """Ends all of them; each file is whole then."""
        with self._lock:
            ending = list(self._recordings)
        for source, side in ending:
            self.finish(source, side)

    def figures(self) -> list[dict[str, Any]]:
        """How each that runs does."""
        with self._lock:
            recordings = list(self._recordings.values())
        return [recording.figures() for recording in recordings]

    def _begin(self, where: tuple[str, Side], recording: "VideoRecording") -> None:
        self._recordings[where] = recording
        recording.start()
        self._gallery.add(where[0], recording)

    def _recording(self, source: str, side: Side) -> "VideoRecording":
        if importlib.util.find_spec("av") is None:
            raise SinkInvalid(f"streams.record needs PyAV, which is not installed: {EXTRA}")
        from streams.sinks.record import Bounds, VideoRecording

        return VideoRecording(source, side, self._folder, Bounds(*self._bounds), clock=self._clock)
