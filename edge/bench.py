"""The benchmark of one model on this machine: what is tried, in which time, and what is kept of it."""

import dataclasses
import functools
import itertools
import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from edge import devices
from edge.errors import RunFailed
from edge.subject import Subject
from inference import profile as profiles
from inference.anatomy import anatomy
from inference.backends import Arrange, processors
from inference.backends.choice import devices_of
from inference.files import check_file, sha256_of
from inference.formats.kinds import kind_of
from inference.measure import Measured, Way, best, measure, ways
from inference.optimize import open_sizes
from inference.profile import Profile
from inference.tasks import kind_of as task_of

PRECISION = re.compile(r"[-_.](fp32|fp16|int8|f32|f16|i8)$", re.IGNORECASE)
ENDINGS = (".xml", ".onnx", ".tflite", ".pb")
BACKENDS = ("openvino", "onnxruntime")
MOST_REQUESTS = 8
FINAL = 0.3  # of the time, for the best few once more
FINALISTS = 3
Clock = Callable[[], float]
Told = Callable[[int, int, Way], None]


class Plan(NamedTuple):
    """What a benchmark tries. own: the model that was named, for which a winner is kept."""

    own: Path
    arrange: Arrange
    ways: tuple[Way, ...]


class Outcome(NamedTuple):
    """What came of it: every way in the order of the plan, the winner of the model itself, and ways left out."""

    own: Path
    measured: tuple[Measured, ...]
    winner: Measured
    left_out: tuple[Way, ...]


def plan(subject: Subject, device: str, *, also: Iterable[Path] = (), requests: int | None = None) -> Plan:
    """Every way worth trying of a model, then the best known ways of other files of the same model.

    also: files to compare with, beside those that lie next to the model under its name and a precision
    (`model-int8.xml`). requests: the most under way at once. Raises ModelNotFound and ModelInvalid for one of
    the others, RunFailed where no backend has the device.
    """
    anatomy(subject.path)  # what no reader takes is told once, not for each way
    cores = processors()
    most = requests or min(2 * cores, MOST_REQUESTS)
    places = present(device)
    if not places:
        raise RunFailed(f"no backend of this machine has the device {device}; `edge devices` lists them")
    own = [
        ways(subject.path, backend, place, cores=cores, most=most)
        for backend, place in places
        if can_read(backend, subject.path)
    ]
    first, *rest = itertools.zip_longest(*own)
    tried = [way for way in first if way is not None]  # the defaults; what time runs out for is the rest
    for path in dict.fromkeys([*others(subject.path), *also]):
        check_file(path)
        tried += few(path, places, most)
    tried += [way for turn in rest for way in turn if way is not None]
    manifest = subject.manifest
    arrange = open_sizes if manifest is None else functools.partial(task_of(manifest.task).arrange, manifest)
    return Plan(subject.path, arrange, tuple(tried))


def few(path: Path, places: Sequence[tuple[str, str]], most: int) -> list[Way]:
    """The default, and all requests: enough to tell whether another file is worth a benchmark of its own."""
    readable = [(backend, place) for backend, place in places if can_read(backend, path)]
    single = [Way(path, backend, place) for backend, place in readable]
    return single + [Way(path, backend, place, most, "throughput") for backend, place in readable if most > 1]


def run(
    planned: Plan, aim: str, seconds: float, told: Told = lambda *_: None, clock: Clock = time.monotonic
) -> Outcome:
    """Measure the ways of a plan within so many seconds; those for which no time is left are left out.

    told: called before each way with its number from 0, how many there are, and the way. Raises RunFailed where
    the model itself could not be run in any way.
    """
    deadline, done = clock() + seconds, list[Measured]()
    for number, way in enumerate(planned.ways):
        left = deadline - clock() - FINAL * seconds
        if left <= 0 and any(each.error is None for each in done):
            break
        told(number, len(planned.ways), way)
        done.append(measure(way, planned.arrange, share(left, len(planned.ways) - number)))
    left_out = planned.ways[len(done) :]
    done = final(planned, done, aim, deadline, told, clock)
    own = [each for each in done if each.way.path == planned.own]
    winner = best(own, aim)
    if winner is None:
        raise RunFailed("; ".join(dict.fromkeys(str(each.error) for each in own)))
    return Outcome(planned.own, tuple(done), winner, left_out)


def final(
    planned: Plan, done: Sequence[Measured], aim: str, deadline: float, told: Told, clock: Clock
) -> list[Measured]:
    """The best few once more: on a machine that does other things too, the first figures are partly luck."""
    rest = [each for each in done if each.way.path == planned.own]
    again: list[Measured] = []
    while rest and len(again) < FINALISTS and (found := best(rest, aim)) is not None:
        rest.remove(found)
        again.append(found)
    for number, each in enumerate(again):
        left = deadline - clock()
        if len(again) == 1 or left <= 0:
            break
        told(len(planned.ways) - 1, len(planned.ways), each.way)
        seen = measure(each.way, planned.arrange, share(left, len(again) - number))
        done = [merged(each, seen) if old is each else old for old in done]
    return list(done)


def share(left: float, parts: int) -> float:
    """The seconds for one of so many that are to come; a part of the time goes into making them ready."""
    return max(0.0, left) / parts * 0.8


def merged(first: Measured, second: Measured) -> Measured:
    """Two measurements of one way: the better median with its own figures, and the runs of both."""
    if second.error is not None:
        return first
    better = min(first, second, key=lambda each: each.median_ms)
    return dataclasses.replace(better, runs=first.runs + second.runs)


def keep(outcome: Outcome, folder: Path, device: str, aim: str) -> Path:
    """Keep the winner as the profile of the model and device; its file. Raises OSError."""
    way = outcome.winner.way
    profile = Profile(
        way.backend,
        way.device,
        way.requests,
        way.hint,
        way.threads,
        aim,
        round(outcome.winner.median_ms, 4),
        round(outcome.winner.per_second, 2),
    )
    return profiles.keep(folder, sha256_of(outcome.own), device, profile)


def others(path: Path) -> list[Path]:
    """Files beside the model that are named as it is, but for a precision."""
    stem = PRECISION.sub("", path.stem)
    return sorted(
        found
        for found in path.parent.iterdir()
        if found != path
        and found.suffix.lower() in ENDINGS
        and found.is_file()
        and PRECISION.sub("", found.stem) == stem
    )


def present(device: str) -> list[tuple[str, str]]:
    """(backend, device) for the devices of a setting that are here, in their order."""
    here = {name: devices.backend(name)["devices"] for name in BACKENDS}
    return [
        (backend, place.upper())
        for backend in BACKENDS
        for place in devices_of(device)
        if devices.is_here(place, here[backend])
    ]


def can_read(backend: str, path: Path) -> bool:
    return backend == "openvino" or kind_of(path) == "onnx"
