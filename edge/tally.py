"""Counts and durations of a run, in memory that does not grow with it."""

import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence

SHORTEST = 1e-6  # seconds: all below falls into the first bucket
STEP = math.log(1.01)  # each bucket is one per cent wider than the one before it
BUCKETS = math.ceil(math.log(1e9) / STEP) + 1  # up to 1,000 seconds


class Distribution:
    """Durations in seconds, kept as a histogram of one per cent resolution between 1 us and 1,000 s."""

    def __init__(self) -> None:
        self._buckets = array("Q", [0]) * BUCKETS
        self.count = 0
        self.total = 0.0
        self.largest = 0.0

    def add(self, seconds: float) -> None:
        self._buckets[self._bucket(seconds)] += 1
        self.count += 1
        self.total += seconds
        self.largest = max(self.largest, seconds)

    @staticmethod
    def _bucket(seconds: float) -> int:
        if seconds <= SHORTEST:
            return 0
        return min(BUCKETS - 1, math.ceil(math.log(seconds / SHORTEST) / STEP))

    def percentile(self, percent: float) -> float:
        """The duration in seconds that `percent` of all stay under or meet (upper edge of its bucket); 0 if empty."""
        wanted = math.ceil(self.count * percent / 100)
        seen = 0
        for index, held in enumerate(self._buckets):
            seen += held
            if held and seen >= wanted:
                return min(self.largest, SHORTEST * math.exp(index * STEP))
        return 0.0

    def up_to(self, edges: Sequence[float]) -> list[int]:
        """How many took at most each of these seconds (rising), and last how many there are; to one per cent."""
        counts, buckets, at, seen = [], self._buckets[:], 0, 0
        for edge in edges:
            last = self._bucket(edge)
            seen += sum(buckets[at : last + 1])
            at = max(at, last + 1)
            counts.append(seen)
        return [*counts, seen + sum(buckets[at:])]

    def summary_ms(self) -> dict[str, float]:
        """p50, p95, p99 and max in milliseconds."""
        figures = {f"p{percent}": self.percentile(percent) for percent in (50, 95, 99)} | {
            "max": self.largest
        }
        return {name: round(seconds * 1000, 4) for name, seconds in figures.items()}


STAGES = ("prepare", "infer", "interpret", "loop_overhead", "capture_to_publish")


class Tally:
    """What one run counted: frames by source and fate, and the time of every stage."""

    def __init__(self) -> None:
        self.stages: Mapping[str, Distribution] = {name: Distribution() for name in STAGES}
        self.inferred: Counter[str] = Counter()
        self.stale: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()  # pictures that the model could not be given
        self.senseless: Counter[str] = Counter()  # pictures of which the model's answer was no number
        self.silenced = 0  # messages that the user's hook kept back
        self.answered_at = 0.0  # monotonic seconds of the newest answer

    @property
    def frames(self) -> int:
        """Inferred frames of all sources."""
        return self.inferred.total()
