"""A monotonic clock that stands until a test, or whoever sleeps by it, moves it on."""


class HandClock:
    """Call it for the time, seconds; `sleep` moves it on and remembers for how long."""

    def __init__(self, start: float = 1000.0) -> None:
        self.now = start
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
