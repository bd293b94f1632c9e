"""Whether kernels let go of the GIL: how much two threads get done, against what hashing gets done the same way.

The control tells what this machine has to give: two cores that others use too do not give two of anything.
"""

import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from threading import Barrier

from case import Work
from measure import Judged, Row

Maker = Callable[[], Work]  # each thread's own work, on arrays of its own
SHARE = 0.85  # of the control's scaling
ROUNDS = 15
STRETCH = 0.02  # seconds of work for each thread and round
CONTROL = "hashlib"


def scaling_rows(makers: dict[str, Maker], level: str) -> list[Row]:
    """One row a kernel; its times are of one call in one of two threads."""
    if (os.cpu_count() or 1) < 2:
        return []
    with ThreadPoolExecutor(2) as pool:
        return [_row(name, maker, level, pool) for name, maker in makers.items()]


def _row(name: str, maker: Maker, level: str, pool: ThreadPoolExecutor) -> Row:
    ours, control = [maker(), maker()], [_hashing(), _hashing()]
    counts = _count(ours[0]), _count(control[0])
    gains: list[tuple[float, float]] = []
    took: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        pairs = [_scaling(works, count, pool) for works, count in zip((ours, control), counts, strict=True)]
        gains.append((pairs[0][0], pairs[1][0]))
        took.append((pairs[0][1], pairs[1][1]))
    share = median(gain for gain, _ in gains) / median(gain for _, gain in gains)
    held = share >= SHARE
    judged = Judged(f"{CONTROL} scaling", SHARE, round(share, 3), held, int(held))
    times = [1e6 * median(pair[which] for pair in took) for which in (0, 1)]
    return Row(
        case=f"two threads: {name}",
        level=level,
        ours_us=times[0],
        peers={CONTROL: times[1]},
        agrees=True,
        targets=(judged,),
        controls={},
    )


def _scaling(works: list[Work], count: int, pool: ThreadPoolExecutor) -> tuple[float, float]:
    """How many times as much two threads do as one in the same time, and the seconds of a call in one of two."""
    alone = _timed(lambda: _repeat(works[0], count))
    start = Barrier(2)

    def run(work: Work) -> None:
        start.wait(timeout=30)
        _repeat(work, count)

    together = _timed(lambda: list(pool.map(run, works)))
    return 2 * alone / together, together / count


def _repeat(work: Work, count: int) -> None:
    for _ in range(count):
        work()


def _timed(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _count(work: Work) -> int:
    work()
    return max(1, round(STRETCH / max(_timed(work), 1e-9)))


def _hashing() -> Work:
    data = bytes(1 << 20)
    return lambda: hashlib.sha256(data).digest()
