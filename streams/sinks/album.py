"""The newest pictures of one source: as it was, and as the model saw it. Encoded once for all who look.

A picture is made only when somebody wants one, on a thread of its own, always of the newest frame, and no more
often than the rate says.
"""

import collections
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from kernels.formats import Picture
from streams.frame import Frame

log = logging.getLogger(__name__)

KEPT = 16
WATCHED_FOR_S = 10.0  # after the last request of a viewer that asks picture by picture
RATE = 30.0  # pictures a second at most
NICENESS = 10  # of the thread that makes them: who looks must not slow down what is looked at

Paint = Callable[[], Picture]
Side = Literal["device", "project"]
SIDES: tuple[Side, Side] = ("device", "project")


class Pair(NamedTuple):
    """Two JPEG pictures of one frame; one that nobody wanted is None. id: the frame's."""

    id: int
    device: bytes | None
    project: bytes | None

    def side(self, name: Side) -> bytes | None:
        return self.device if name == "device" else self.project

    @property
    def whole(self) -> bool:
        return self.device is not None and self.project is not None


class Still(NamedTuple):
    """One JPEG picture. id: the frame's."""

    id: int
    jpeg: bytes


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

    Viewers either ask picture by picture (`ask`), or `come`, `want` each picture that they can take, and `go`.
    clock: monotonic seconds. rate: pictures a second at most. `encoded` counts the frames of which pictures were
    made, `failed` those of which they could not be. `heard` is called after each, on the album's thread.
    """

    def __init__(
        self, source: str, darkroom: Darkroom, clock: Callable[[], float], rate: float = RATE
    ) -> None:
        self.source = source
        self.encoded = self.failed = 0
        self.ended = False
        self.heard: Callable[[], None] = lambda: None
        self._darkroom, self._clock, self._pause = darkroom, clock, 1.0 / rate
        self._changed = threading.Condition()
        self._waiting: tuple[Frame, Paint] | None = None
        self._idle = False
        self._wanted: set[Side] = set()
        self._pairs: collections.deque[Pair] = collections.deque(maxlen=KEPT)
        # Counts, since ids begin again when a source does.
        self._made: dict[Side, int] = {"device": 0, "project": 0}
        self._newest: dict[Side, Still | None] = {"device": None, "project": None}
        self._viewers = 0
        self._asked_at: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"pictures-{source}", daemon=True)

    def start(self) -> None:
        """Begins to encode what is offered."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Ends the thread and lets every waiting viewer go."""
        with self._changed:
            self.ended = True
            self._waiting = None
            self._changed.notify_all()
        self.heard()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    @property
    def watched(self) -> bool:
        """Whether anybody looks: a stream is open, or a picture was asked for within ten seconds."""
        return self._viewers > 0 or self._asked_lately()

    def _asked_lately(self) -> bool:
        asked = self._asked_at
        return asked is not None and self._clock() - asked < WATCHED_FOR_S

    def ask(self) -> None:
        """Somebody asked for a picture."""
        self._asked_at = self._clock()

    def begin(self) -> None:
        """Somebody wants to see what is now: what was left from an earlier time of watching goes."""
        with self._changed:
            self._forget_what_is_old()
        self.ask()

    def come(self, side: Side) -> int:
        """A viewer opened a stream; the count after which its pictures begin, the newest one included."""
        with self._changed:
            self._forget_what_is_old()
            self._viewers += 1
            return self._made[side] - (self._newest[side] is not None)

    def _forget_what_is_old(self) -> None:
        if not self.watched:
            self._pairs.clear()
            self._newest = {"device": None, "project": None}

    def go(self) -> None:
        """A viewer of a stream left."""
        with self._changed:
            self._viewers -= 1

    def want(self, side: Side) -> None:
        """Somebody can take the next picture of this side."""
        with self._changed:
            self._wanted.add(side)

    def offer(self, frame: Frame, paint: Paint) -> None:
        """Takes a frame and whatever paints its results, if somebody wants a picture.

        A newer one replaces an older one. A lock is taken only to wake the thread, so seldom.
        """
        if self._wanted or self._asked_lately():
            self._waiting = (frame, paint)
            if self._idle:
                with self._changed:
                    self._changed.notify_all()

    def newest(self) -> Pair | None:
        """The newest frame of which both pictures are there, if there is one."""
        with self._changed:
            return next((pair for pair in reversed(self._pairs) if pair.whole), None)

    def find(self, frame_id: int) -> Pair | None:
        """The pair of a frame, while it is among the last sixteen."""
        with self._changed:
            return next((pair for pair in reversed(self._pairs) if pair.id == frame_id), None)

    def since(self, seen: int, side: Side) -> tuple[int, Still | None]:
        """The newest picture made after the `seen`-th, with its count; None if there is none yet."""
        with self._changed:
            return self._since(seen, side)

    def _since(self, seen: int, side: Side) -> tuple[int, Still | None]:
        fresh = self._made[side] > seen and not self.ended
        return (self._made[side], self._newest[side]) if fresh else (seen, None)

    def after(self, seen: int, side: Side, timeout: float) -> tuple[int, Still | None]:
        """As `since`; waits `timeout` seconds at most."""
        self.want(side)
        with self._changed:
            self._changed.wait_for(lambda: self._made[side] > seen or self.ended, timeout)
            return self._since(seen, side)

    def still(self, side: Side, timeout: float) -> Still | None:
        """A picture that is made from now on; None if none is within `timeout` seconds."""
        self.come(side)
        try:
            return self.after(self._made[side], side, timeout)[1]
        finally:
            self.go()

    def _run(self) -> None:
        give_way()
        due = self._clock()
        while (offered := self._next(due)) is not None:
            due = self._clock() + self._pause
            sides = self._due_sides()
            try:
                pair = self._developed(*offered, sides)
            except Exception as error:
                if not self.failed:
                    log.warning("A picture of %s was not made: %s. More are counted.", self.source, error)
                self.failed += 1
                with self._changed:
                    self._wanted.update(sides)
                continue
            self._keep(pair)

    def _next(self, due: float) -> tuple[Frame, Paint] | None:
        """The newest frame, not before `due`; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended, max(0.0, due - self._clock()))
            self._idle = True
            self._changed.wait_for(lambda: self._waiting is not None or self.ended)
            self._idle = False
            offered, self._waiting = self._waiting, None
            return None if self.ended else offered

    def _due_sides(self) -> tuple[Side, ...]:
        with self._changed:
            sides = SIDES if self._asked_lately() else tuple(s for s in SIDES if s in self._wanted)
            self._wanted.clear()
            return sides

    def _keep(self, pair: Pair) -> None:
        with self._changed:
            self._pairs.append(pair)
            for side in SIDES:
                jpeg = pair.side(side)
                if jpeg is not None:
                    self._made[side] += 1
                    self._newest[side] = Still(pair.id, jpeg)
            self._changed.notify_all()
        self.heard()

    def _developed(self, frame: Frame, paint: Paint, sides: tuple[Side, ...]) -> Pair:
        device = self._darkroom.device(frame) if "device" in sides else None
        project = self._darkroom.project(paint()) if "project" in sides else None
        self.encoded += bool(sides)
        return Pair(frame.id, device, project)


def give_way() -> None:
    """This thread, not the process, takes the processor after the others; where the system knows such a thing."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
