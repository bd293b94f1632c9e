"""How often something may happen: so many at once, and so many a second after that."""


class Tokens:
    """burst: how many may come at once. rate: how many a second after that. For one thread; time is passed in."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._level = burst
        self._filled_at: float | None = None

    def take(self, now: float) -> bool:
        """Whether one more may happen now, which then counts. now: monotonic seconds."""
        if self._filled_at is not None:
            self._level = min(self._burst, self._level + max(0.0, now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True
