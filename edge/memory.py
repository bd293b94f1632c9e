"""Resident memory of this process, and how it grows with the frames."""

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
    """Samples of (frames, resident bytes), thinned out so that there are never more than 512."""

    def __init__(self) -> None:
        self._samples: list[tuple[int, int]] = []
        self._every = 1
        self._asked = 0

    def sample(self, frames: int) -> None:
        self._asked += 1
        if self._asked % self._every:
            return
        resident = resident_bytes()
        if resident is None:
            return
        self._samples.append((frames, resident))
        if len(self._samples) >= MOST_SAMPLES:
            self._samples = self._samples[::2]
            self._every *= 2

    def slope(self) -> float | None:
        """Bytes a frame by least squares over all but the first quarter of the frames; None if too few samples."""
        if not self._samples:
            return None
        first = self._samples[-1][0] * SETTLING
        samples = [sample for sample in self._samples if sample[0] >= first]
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
