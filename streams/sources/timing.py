"""When each picture of a recorded source is due: absolute deadlines, so that lateness does not add up."""

from collections.abc import Callable


class Timing:
    """The times at which pictures are to be handed on, as they were recorded or at a rate of its own.

    realtime: False: as fast as they are taken, nothing is ever due. rate: pictures a second instead of the
    recorded times. clock: monotonic seconds.
    """

    def __init__(self, realtime: bool, rate: float | None, clock: Callable[[], float]) -> None:
        self._realtime = realtime
        self._rate = rate
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """The next picture is the first one, and due at once."""
        self._start: float | None = None
        self._count = 0
        self._last = 0.0

    def again(self, period: float) -> None:
        """The next picture is the first one again, and due `period` seconds after the last one."""
        if self._start is not None and self._rate is None:
            self._start += self._last + period
            self._last = 0.0

    def due(self, position: float) -> float | None:
        """The due time of the next picture, recorded `position` seconds after the first; None for at once."""
        if not self._realtime:
            return None
        if self._start is None:
            self._start = self._clock()
        if self._rate is not None:
            self._count += 1
            return self._start + (self._count - 1) / self._rate
        self._last = max(self._last, position)
        return self._start + self._last
