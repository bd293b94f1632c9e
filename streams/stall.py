"""Whether a live source only seems alive: it repeats one picture, or its driver's clock stands still."""

import numpy as np

from streams.sources import Shot

_ROWS = 16  # compared first; a camera's noise differs in any of them
_LONGEST_REOPEN_S = 600.0


class StallWatch:
    """Compares each shot of a live source with the one before it. Times are monotonic seconds, passed in.

    after: a source that has stood for so long, seconds, and for at least `repeats` shots, has stalled.
    reopen: a stalled source is worth opening anew after so long; twice as long each time that does not help,
    since a camera in a dark room may truly have nothing new to show.
    """

    def __init__(self, *, after: float = 5.0, repeats: int = 10, reopen: float = 30.0) -> None:
        self.after = after
        self._repeats = repeats
        self._first_reopen = self._reopen = reopen
        self._previous: Shot | None = None
        self._same_picture = _Standing()
        self._same_stamp = _Standing()
        self._stamps_move = False

    def see(self, shot: Shot, now: float) -> str | None:
        """What is wrong with the source, as the end of a sentence; None where the shot is news."""
        previous, self._previous = self._previous, shot
        self._same_picture.see(previous is not None and _same(previous, shot), now)
        self._same_stamp.see(self._stamp_stands(previous, shot), now)
        if self._same_picture.lasts(now, self.after, self._repeats):
            return "repeats one picture"
        if self._same_stamp.lasts(now, self.after, self._repeats):
            return "gives pictures whose time stands still"
        if self._same_picture.count == 0:
            self._reopen = self._first_reopen
        return None

    def wants_reopening(self, now: float) -> bool:
        """Whether it has stood for so long that opening it anew may help; asked once for each opening."""
        since = [each.since for each in (self._same_picture, self._same_stamp) if each.since is not None]
        if not since or now - min(since) < self._reopen:
            return False
        self._reopen = min(_LONGEST_REOPEN_S, 2 * self._reopen)
        return True

    def reopened(self) -> None:
        """The source was opened anew: its clock may begin anywhere. The last picture is remembered."""
        self._same_stamp = _Standing()
        self._stamps_move = False

    def _stamp_stands(self, previous: Shot | None, shot: Shot) -> bool:
        """A driver that never moved its clock has none; one that stops it has stopped."""
        if previous is None or shot.stamp is None or previous.stamp is None:
            return False
        same = shot.stamp == previous.stamp
        self._stamps_move |= not same
        return same and self._stamps_move


class _Standing:
    """How often in a row, and since when, something was the same."""

    def __init__(self) -> None:
        self.count = 0
        self.since: float | None = None
        self._changed_at: float | None = None

    def see(self, same: bool, now: float) -> None:
        if not same:
            self.count, self.since, self._changed_at = 0, None, now
            return
        self.count += 1
        self.since = self._changed_at if self._changed_at is not None else now

    def lasts(self, now: float, after: float, repeats: int) -> bool:
        return self.since is not None and self.count >= repeats and now - self.since >= after


def _same(one: Shot, other: Shot) -> bool:
    """Exactly the same picture; a different one is told apart by a few rows."""
    if one.jpeg is not None and other.jpeg is not None:
        return one.jpeg == other.jpeg
    if one.pixels.shape != other.pixels.shape:
        return False
    step = max(1, len(one.pixels) // _ROWS)
    return np.array_equal(one.pixels[::step], other.pixels[::step]) and np.array_equal(
        one.pixels, other.pixels
    )
