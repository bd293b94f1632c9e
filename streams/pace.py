"""What is worth a message, and when the next picture is due. Time is monotonic and passed in."""

from collections.abc import Hashable
from typing import Protocol


class Policy(Protocol):
    """Decides which results become messages; what has become one is no longer dropped by anybody's taste."""

    def wants(self, key: Hashable, now: float) -> bool:
        """Whether the result described by `key` is to be published. now: monotonic seconds."""
        ...


class Every:
    """The first result and every n-th after it."""

    def __init__(self, n: int) -> None:
        if n < 1:
            raise ValueError(f"publish.every must be 1 or more, not {n}")
        self._n = n
        self._seen = 0

    def wants(self, key: Hashable, now: float) -> bool:
        due = self._seen % self._n == 0
        self._seen += 1
        return due


class OnChange:
    """A result whose key differs from the last published one, and one now and then as a sign of life.

    min_interval: seconds between two messages at least; a change that comes sooner is published when the
    interval is over, if it still holds. heartbeat: seconds after which an unchanged result is published
    anyway. hold: a change counts once it was seen so many times running, so that what flickers is no news.
    """

    def __init__(self, min_interval: float = 1.0, heartbeat: float = 60.0, hold: int = 1) -> None:
        if min_interval < 0.0:
            raise ValueError(f"publish.min_interval must be 0 or more seconds, not {min_interval}")
        if heartbeat <= 0.0:
            raise ValueError(f"publish.heartbeat must be more than 0 seconds, not {heartbeat}")
        if hold < 1:
            raise ValueError(f"publish.hold must be 1 or more, not {hold}")
        self._min_interval = min_interval
        self._heartbeat = heartbeat
        self._hold = hold
        self._seen: Hashable = None
        self._held = 0
        self._published: tuple[Hashable, float] | None = None

    def wants(self, key: Hashable, now: float) -> bool:
        self._held = self._held + 1 if key == self._seen else 1
        self._seen = key
        if self._published is not None:
            last, at = self._published
            silence = now - at
            same = key == last or self._held < self._hold
            if silence < self._min_interval or (same and silence < self._heartbeat):
                return False
        self._published = (key, now)
        return True


class Rate:
    """Lets at most `fps` pictures a second through, evenly.

    Deadlines are absolute and missed ones are not made up. A picture may come a quarter of the interval
    early: else a source of just this rate would lose every second picture to its jitter.
    """

    def __init__(self, fps: float) -> None:
        if not fps > 0.0:
            raise ValueError(f"a rate must be more than 0 pictures a second, not {fps}")
        self.fps = fps
        self._interval = 1.0 / fps
        self._due_at: float | None = None

    def due(self, now: float) -> bool:
        """Whether the picture of this moment goes through. now: monotonic seconds."""
        due_at = now if self._due_at is None else self._due_at
        if now < due_at - 0.25 * self._interval:
            return False
        on_time = now - due_at < self._interval
        self._due_at = (due_at if on_time else now) + self._interval
        return True
