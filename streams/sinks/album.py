"""The newest pictures of one source, in pairs: as it was, and as the model saw it. Encoded once for all.

A pair is made only while somebody watches, on a thread of its own, and always of the newest frame.
"""

import collections
import logging
import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

from kernels.formats import Picture
from streams.frame import Frame

log = logging.getLogger(__name__)

KEPT = 16
WATCHED_FOR_S = 10.0  # after the last request of a viewer that asks picture by picture

Paint = Callable[[], Picture]


class Pair(NamedTuple):
    """Two JPEG pictures of one frame. id: the frame's."""

    id: int
    device: bytes
    project: bytes


class Darkroom(Protocol):
    """Makes JPEGs, on one thread."""

    def device(self, frame: Frame) -> bytes:
        """The frame as it was."""
        ...

    def project(self, painted: Picture) -> bytes:
        """A painted picture, BGR (height, width, 3)."""
        ...


class Album:
    """The pictures of one source. `offer` belongs to the loop, everything else to any thread.

    clock: monotonic seconds. `encoded` counts the pairs made, `failed` those that could not be.
    """

    def __init__(self, source: str, darkroom: Darkroom, clock: Callable[[], float]) -> None:
        self.source = source
        self.encoded = self.failed = 0
        self._darkroom, self._clock = darkroom, clock
        self._changed = threading.Condition()
        self._waiting: tuple[Frame, Paint] | None = None
        self._pairs: collections.deque[Pair] = collections.deque(maxlen=KEPT)
        self._made = 0  # counts pairs, since ids begin again when a source does
        self._viewers = 0
        self._asked_at: float | None = None
        self.ended = False
        self._thread = threading.Thread(target=self._run, name=f"pictures-{source}", daemon=True)

    def start(self) -> None:
        """Begins to encode what is offered."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Ends the thread and lets every waiting viewer go."""
        with self._changed:
            self.ended = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    @property
    def watched(self) -> bool:
        """Whether anybody looks: a stream is open, or a picture was asked for within ten seconds."""
        asked = self._asked_at
        return self._viewers > 0 or (asked is not None and self._clock() - asked < WATCHED_FOR_S)

    def ask(self) -> None:
        """Somebody asked for a picture."""
        self._asked_at = self._clock()

    def begin(self) -> None:
        """Somebody wants to see what is now: what was left from an earlier time of watching goes."""
        with self._changed:
            if not self.watched:
                self._pairs.clear()
        self.ask()

    def come(self) -> int:
        """A viewer opened a stream; the count after which its pictures begin, the newest one included."""
        self.begin()
        with self._changed:
            self._viewers += 1
            return self._made - min(1, len(self._pairs))

    def go(self) -> None:
        """A viewer of a stream left."""
        with self._changed:
            self._viewers -= 1

    def offer(self, frame: Frame, paint: Paint) -> None:
        """Takes a frame and whatever paints its results, if somebody watches.

        A newer one replaces an older one.
        """
        if self.watched:
            with self._changed:
                self._waiting = (frame, paint)
                self._changed.notify_all()

    def newest(self) -> Pair | None:
        """The newest pair, if there is one."""
        with self._changed:
            return self._pairs[-1] if self._pairs else None

    def find(self, frame_id: int) -> Pair | None:
        """The pair of a frame, while it is among the last sixteen."""
        with self._changed:
            return next((pair for pair in reversed(self._pairs) if pair.id == frame_id), None)

    def after(self, seen: int, timeout: float) -> tuple[int, Pair | None]:
        """The newest pair made after the `seen`-th, with its count; None if none comes within `timeout` s."""
        with self._changed:
            self._changed.wait_for(lambda: self._made > seen or self.ended, timeout)
            fresh = self._made > seen and not self.ended
            return (self._made, self._pairs[-1]) if fresh else (seen, None)

    def _run(self) -> None:
        while (offered := self._next()) is not None:
            try:
                pair = self._developed(*offered)
            except Exception as error:
                if not self.failed:
                    log.warning("A picture of %s was not made: %s. More are counted.", self.source, error)
                self.failed += 1
                continue
            with self._changed:
                self._pairs.append(pair)
                self._made += 1
                self._changed.notify_all()

    def _next(self) -> tuple[Frame, Paint] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is not None or self.ended)
            offered, self._waiting = self._waiting, None
            return None if self.ended else offered

    def _developed(self, frame: Frame, paint: Paint) -> Pair:
        device = self._darkroom.device(frame)
        project = self._darkroom.project(paint())
        self.encoded += 1
        return Pair(frame.id, device, project)
