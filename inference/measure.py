"""How fast a model runs, one way after another: which backend, how many requests and threads, which hint."""

import collections
import dataclasses
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from inference.backends import Arrange, Backend, Opening, Tuning
from inference.backends.choice import open_backend
from inference.errors import InferenceError

AIMS = ("latency", "throughput")
FEWEST_RUNS = 3
AS_GOOD = 1.05  # a way that is not more than this better than an earlier, simpler one, does not win over it
MOST_THREADED = 16
Clock = Callable[[], float]


class Way(NamedTuple):
    """One way to run a model. requests: 1 runs one after the other, more keep so many under way."""

    path: Path
    backend: str
    device: str
    requests: int = 1
    hint: str = "latency"
    threads: int | None = None

    @property
    def mode(self) -> str:
        return "sync" if self.requests == 1 else "async"


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a way gave. Milliseconds from the start of a request to its answer; answers a second; how many runs.

    error: why there are no figures.
    """

    way: Way
    median_ms: float = 0.0
    p95_ms: float = 0.0
    per_second: float = 0.0
    runs: int = 0
    error: str | None = None


def ways(path: Path, backend: str, device: str, *, cores: int, most: int) -> list[Way]:
    """The ways worth trying, the default first, then by how far they are from it.

    cores: processors this process may use. most: requests under way at once.
    """
    counts = [None, *sorted({1, cores // 2} - {0, cores}, reverse=True)] if device == "CPU" else [None]
    found = [Way(path, backend, device, threads=threads) for threads in counts]
    found += [
        Way(path, backend, device, requests, "throughput")
        for requests in range(2, min(most, MOST_THREADED) + 1)
    ]
    if most > 1:
        found.append(Way(path, backend, device, 2, "latency"))
    return found


def measure(way: Way, arrange: Arrange, seconds: float, clock: Clock = time.perf_counter) -> Measured:
    """Runs a model one way for so many seconds of `clock`, after one run of each request that does not count.

    At least FEWEST_RUNS are measured. What goes wrong is the result's error.
    """
    tuning = Tuning(way.hint, way.threads)
    try:
        backend = open_backend(
            way.backend, Opening(way.path, way.device, way.requests, arrange, tuning=tuning)
        )
    except InferenceError as error:
        return Measured(way, error=str(error))
    try:
        _fill(backend)
        for slot in range(backend.slots):
            backend.run(slot)
        began = clock()
        times = _run(backend, began + seconds, clock)
        return _figures(way, times, clock() - began)
    except InferenceError as error:
        return Measured(way, error=str(error))
    finally:
        backend.close()


def best(measured: Iterable[Measured], aim: str) -> Measured | None:
    """The lowest median latency, or the most answers a second; of two that are as good, the earlier."""
    winner: Measured | None = None
    for each in measured:
        if each.error is None and (winner is None or _gain(each, winner, aim) > AS_GOOD):
            winner = each
    return winner


def _gain(new: Measured, old: Measured, aim: str) -> float:
    """How many times better the new one is."""
    if aim == "latency":
        return old.median_ms / new.median_ms if new.median_ms else 1.0
    return new.per_second / old.per_second if old.per_second else 1.0


def _fill(backend: Backend) -> None:
    """Noise: with nothing but zeros some processors are quicker than with pictures."""
    random = np.random.default_rng(0)
    for slot in range(backend.slots):
        for index, spec in enumerate(backend.inputs):
            noise = random.random(spec.shape, np.float32)
            whole = spec.dtype.kind in "iu"
            backend.input(slot, index)[...] = (noise * 127).astype(spec.dtype) if whole else noise


def _run(backend: Backend, deadline: float, clock: Clock) -> list[float]:
    """Seconds of each run that ended, all requests kept under way."""
    times: list[float] = []
    if backend.slots == 1:
        while len(times) < FEWEST_RUNS or clock() < deadline:
            began = clock()
            backend.run(0)
            times.append(clock() - began)
        return times
    underway: collections.deque[tuple[int, float]] = collections.deque()
    for slot in range(backend.slots):
        underway.append((slot, clock()))
        backend.start(slot)
    while underway:
        slot, began = underway.popleft()
        backend.wait(slot)
        now = clock()
        times.append(now - began)
        if len(times) + len(underway) < FEWEST_RUNS or now < deadline:
            underway.append((slot, now))
            backend.start(slot)
    return times


def _figures(way: Way, times: Sequence[float], elapsed: float) -> Measured:
    ordered = sorted(times)
    return Measured(
        way,
        median_ms=1000 * statistics.median(ordered),
        p95_ms=1000 * ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
        per_second=len(times) / elapsed if elapsed > 0 else 0.0,
        runs=len(times),
    )
