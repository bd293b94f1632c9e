"""Resident memory of this process, and how it grows with the frames."""

import array
import resource
import sys
from pathlib import Path

PAGE = resource.getpagesize()
STATM = Path("/proc/self/statm")
MOST_SAMPLES = 512
SETTLING = 0.25  # this share of the run fills pools and caches and does not count


def resident_bytes() -> int | None:
    """Resident set size in bytes now; None where the system does not tell (not Linux)."""
    try:
        return int(STATM.read_text().split()[1]) * PAGE
    except (OSError, IndexError, ValueError):
        return None


def peak_bytes() -> int:
    """The largest resident set size of this process so far, in bytes."""
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


class Growth:
    """Samples of (frames, resident bytes), thinned out so that there are never more than 512.

    Their room is taken at once: what measures memory must not grow itself.
    """

    def __init__(self) -> None:
        self._frames = array.array("q", bytes(8 * MOST_SAMPLES))
        self._resident = array.array("q", bytes(8 * MOST_SAMPLES))
        self._count = 0
        self._every = 1
        self._asked = 0

    def sample(self, frames: int) -> None:
        self._asked += 1
        if self._asked % self._every:
            return
        resident = resident_bytes()
        if resident is None:
            return
        self._frames[self._count], self._resident[self._count] = frames, resident
        self._count += 1
        if self._count >= MOST_SAMPLES:
            self._thin_out()

    def _thin_out(self) -> None:
        for values in (self._frames, self._resident):
            values[: MOST_SAMPLES // 2] = values[::2]
        self._count = MOST_SAMPLES // 2
        self._every *= 2

    @property
    def samples(self) -> list[tuple[int, int]]:
        return list(zip(self._frames[: self._count], self._resident[: self._count], strict=True))

    def slope(self) -> float | None:
        """Bytes a frame by least squares over all but the first quarter of the frames; None if too few samples."""
        samples = self.samples
        if not samples:
            return None
        first = samples[-1][0] * SETTLING
        samples = [sample for sample in samples if sample[0] >= first]
        return least_squares_slope(samples) if len(samples) >= 3 else None


def least_squares_slope(samples: list[tuple[int, int]]) -> float | None:
    """Slope of the straight line through (x, y) samples; None if all x are the same."""
    count = len(samples)
    mean_x = sum(x for x, _ in samples) / count
    mean_y = sum(y for _, y in samples) / count
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    if spread == 0:
        return None
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread
