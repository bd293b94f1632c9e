"""Times several works against each other on a machine that others use too: one after the other, round by round.

Every round has an order of its own: what a work finds in the caches is what the one before it left there, and
what `before` did, untimed, ahead of every sample.
"""

import gc
import random
import time
from collections.abc import Mapping
from statistics import median

from case import Work

ROUNDS = 100  # at least
WARM_UP = 3
SAMPLE = 50e-6  # seconds that one sample takes at least, so that the clock does not count
BUDGET = 1.0  # seconds for more rounds than that, where a round is short
MOST = 400


def interleaved(
    works: Mapping[str, Work], rounds: int = ROUNDS, before: Work | None = None
) -> dict[str, float]:
    """The median time of each work in seconds; all of them take their turn in every round."""
    repeats = {name: _repeats(work) for name, work in works.items()}
    samples: dict[str, list[float]] = {name: [] for name in works}
    order, shuffle = list(works), random.Random(1).shuffle
    collecting = gc.isenabled()
    gc.disable()
    try:
        end = time.perf_counter() + BUDGET
        while len(samples[next(iter(works))]) < rounds or (
            time.perf_counter() < end and len(samples[next(iter(works))]) < MOST
        ):
            shuffle(order)
            for name in order:
                if before is not None:
                    before()
                samples[name].append(_once(works[name], repeats[name]))
    finally:
        if collecting:
            gc.enable()
    return {name: median(times) for name, times in samples.items()}


def _once(work: Work, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - start) / repeats


def _repeats(work: Work) -> int:
    """How often a sample does the work; this is the warm-up too."""
    took = min(_once(work, 1) for _ in range(WARM_UP))
    return max(1, round(SAMPLE / max(took, 1e-9)))
