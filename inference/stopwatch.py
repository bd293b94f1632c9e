"""What times the stages of one picture."""

from collections.abc import Callable

from inference.results import Timings


class Stopwatch:
    """Reads a monotonic clock (seconds) at the end of each stage; `timings` reads it for the last."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = self._prepared = self._inferred = 0.0

    def start(self) -> None:
        self._began = self._clock()

    def prepared(self) -> None:
        self._prepared = self._clock()

    def inferred(self) -> None:
        self._inferred = self._clock()

    def passed_over(self) -> None:
        """There was nothing to run: that stage takes no time at all."""
        self._inferred = self._prepared

    def timings(self) -> Timings:
        """The three stages, of which the last ends now."""
        now = self._clock()
        return Timings(self._prepared - self._began, self._inferred - self._prepared, now - self._inferred)
