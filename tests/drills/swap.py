"""The drill of the swap: another project every two seconds, a third of them broken on purpose, under a running loop.

The same run without swaps stands beside it: its dropped frames and its p99 are the measure, and its own growth is
taken off. Everything that is asked for is made before either begins, so that neither pays for it; and so are the
buffers that pictures may ever need: how many are on their way at once hangs on the machine's moods, and each more is
0.9 MB that comes once and stays.
"""

import array
import contextlib
import functools
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import swap_models
from swap_run import Live, live

from edge import bundle, project, signing
from edge.memory import least_squares_slope, resident_bytes
from inference.files import sha256_of
from streams.sources import pool, synthetic

EVERY, SECONDS, BASELINE = 2.0, 300.0, 120.0
QUIET_LOOK = 0.5  # seconds between two looks at the memory where nothing comes and goes: enough for a slope
ANSWER_WITHIN = 2.0  # seconds from the request to the first message of the new model
BYTES_A_SWAP = 1024
MOST_MESSAGES = 20_000  # room is taken beforehand: what is measured must not grow itself
ROUND = 18  # swaps in which each way to be broken comes once
SLACK = 1  # dropped frames more than without swaps: one picture of 30 a second may always be unlucky
SETTINGS = {"sources": {"main": {"uri": "synthetic:?rate=30&size=640x480"}}, "swap.frames": 15}
DIGEST = "wrong digest"


class Asked(NamedTuple):
    """What is asked, the digest of its model, and for which cause it is to be refused; "" if it is good."""

    wanted: dict[str, Any] | Path
    sha256: str
    cause: str


class Plan:
    """Makes each project anew: every model is one that was never seen."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = folder / "release.key"
        self.keys = folder / "release.pub"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self._key)
        openssl("ec", "-in", self._key, "-pubout", "-out", self.keys)
        self._broken = [*swap_models.BROKEN, DIGEST]

    def project(self, number: int, make: Any = None, labels: str = swap_models.LABELS) -> Path:
        make = make or functools.partial(swap_models.good, seed=number + 1)
        return swap_models.project(self._folder / f"project-{number}", make, labels=labels)

    def asked(self, number: int) -> Asked:
        """Two good ones, then one that is broken, each time in another way."""
        if number % 3 != 2:
            place = self.project(number)
            return Asked(place, sha256_of(place / "model.onnx"), "")
        kind = self._broken[number // 3 % len(self._broken)]
        if kind == DIGEST:
            place = self.project(number)
            return Asked(self._tampered(place), sha256_of(place / "model.onnx"), "digest")
        broken = swap_models.BROKEN[kind]
        place = self.project(number, broken.make, broken.labels)
        return Asked(place, sha256_of(place / "model.onnx"), broken.cause)

    def _tampered(self, place: Path) -> dict[str, Any]:
        """A signed bundle of which one byte was changed on the way."""
        archive, signature = bundle.write(
            project.load(place), "1", signing.private_key(self._key), self._folder / "out"
        )
        content = bytearray(archive.read_bytes())
        content[len(content) // 2] ^= 1
        archive.write_bytes(content)
        return {"uri": str(archive), "sha256": signature["sha256"], "signature": signature}


def openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Ear:
    """Hears every message as it leaves: which model it is from, and when the first of each came."""

    def __init__(self) -> None:
        self.first: dict[str, float] = {}
        self.count = 0
        self.last = 0
        self._newest = ""
        self.gaps = 0
        self.ages = array.array("f", bytes(4 * MOST_MESSAGES))  # ms from a picture's capture to its message

    def __call__(self, message: dict[str, Any]) -> None:
        self.gaps += self.last > 0 and message["seq"] != self.last + 1
        self.last = message["seq"]
        self.count += 1
        self.ages[min(self.count, MOST_MESSAGES) - 1] = message["frame"]["age_ms"]
        digest = message["model"]["sha256"]
        if digest != self._newest:
            self._newest = digest
            self.first.setdefault(digest, time.monotonic())


class Stocked(synthetic._Canvas):
    """A source of pictures that has made all the buffers it may keep before the first picture."""

    def __init__(self, size: tuple[int, int], seed: int) -> None:
        super().__init__(size, seed)
        held = [self.draw(0) for _ in range(pool.MOST)]
        del held


@contextlib.contextmanager
def stocked() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "_Canvas", Stocked)
        yield


class Seen(NamedTuple):
    """What one run cost. memory: (seconds, resident bytes), a sample each time that all was settled."""

    p99_ms: float
    message_p99_ms: float
    dropped: int
    frames: int
    memory: list[tuple[float, int]]


@contextlib.contextmanager
def hearing(base: Path, state: Path, more: dict[str, Any]) -> Iterator[tuple[Live, Ear]]:
    ear = Ear()
    with stocked(), live(base, state, heard=ear, **SETTINGS, **more) as run:
        yield run, ear


def quiet(base: Path, folder: Path, seconds: float, every: float) -> Seen:
    """The same run without swaps."""
    memory = []
    with hearing(base, folder / "quiet", {}) as (run, ear):
        time.sleep(min(2.0, seconds))
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            memory.append((time.monotonic(), resident_bytes() or 0))
            time.sleep(min(every, QUIET_LOOK))
    return seen(run, ear, memory)


def seen(run: Live, ear: Ear, memory: list[tuple[float, int]]) -> Seen:
    stage = run.tally.stages["capture_to_publish"]
    dropped = sum(feed.status().dropped for feed in run.run.runtime.feeds.values())
    message = round(sorted(ear.ages[: ear.count])[int(ear.count * 0.99)], 2)
    return Seen(round(stage.percentile(99) * 1000, 2), message, dropped, run.tally.frames, memory)


def growth(memory: list[tuple[float, int]]) -> float:
    """Bytes a second that stay: the slope through the least of each ROUND samples, the first quarter left out.

    What a model takes while it is loaded, tried out and let go comes and goes by megabytes; what is lost stays.
    """
    settled = memory[len(memory) // 4 :]
    rounds = [settled[at : at + ROUND] for at in range(0, len(settled), ROUND)]
    least = [min(each, key=lambda sample: sample[1]) for each in rounds if len(each) == ROUND]
    began = memory[0][0] if memory else 0.0
    points = [(round((at - began) * 1000), taken) for at, taken in least]
    return 1000 * (least_squares_slope(points) or 0.0) if len(points) > 1 else 0.0


class Swapped:
    """One swap after the other, and what became of each."""

    def __init__(self, run: Live, ear: Ear) -> None:
        self._run = run
        self._ear = ear
        self.wrong: list[str] = []
        self.answered: list[float] = []
        self.causes: Counter[str] = Counter()
        self.memory: list[tuple[float, int]] = []

    def swap(self, number: int, asked: Asked, every: float) -> None:
        self.memory.append((time.monotonic(), resident_bytes() or 0))
        began = time.monotonic()
        outcome = self._run.ask(asked.wanted, local=isinstance(asked.wanted, Path))
        if outcome.get("cause", "") != asked.cause or (outcome["outcome"] == "done") != (not asked.cause):
            self.wrong.append(f"{number}: {asked.cause or 'good'} ended as {outcome}")
        if asked.cause:
            self.causes[asked.cause] += 1
        else:
            self.answered.append(self._ear.first.get(asked.sha256, began + 999.0) - began)
        time.sleep(max(0.0, began + every - time.monotonic()))
        if asked.cause and asked.sha256 in self._ear.first:
            self.wrong.append(f"{number}: a message of a broken model left")


def trial(folder: Path, swaps: int, every: float, baseline: float) -> tuple[bool, dict[str, Any]]:
    """So many swaps; whether all held that a swap promises, and the figures."""
    plan = Plan(folder)
    base = plan.project(10_000)
    asked = [plan.asked(number) for number in range(swaps)]
    before = quiet(base, folder, baseline, every)
    with hearing(base, folder / "state", {"swap.keys": str(plan.keys)}) as (run, ear):
        time.sleep(min(2.0, baseline))
        swapped = Swapped(run, ear)
        for number, each in enumerate(asked):
            swapped.swap(number, each, every)
        counted = run.run.swap.figures()
    after = seen(run, ear, swapped.memory)
    return judged(swapped, counted, ear.gaps, (before, after), every)


def judged(
    swapped: Swapped, counted: dict[str, Any], gaps: int, runs: tuple[Seen, Seen], every: float
) -> tuple[bool, dict[str, Any]]:
    before, after = runs
    swaps, good, slowest = len(swapped.memory), len(swapped.answered), max(swapped.answered)
    grown = [round(every * growth(run.memory)) for run in runs]
    figures = {
        "swaps": swaps,
        "counted": {name: counted[name] for name in ("asked", "done", "refused", "rolled_back")},
        "causes": counted["causes"],
        "slowest_answer_s": round(slowest, 3),
        "p99_ms": {"without": before.p99_ms, "with": after.p99_ms},
        "message_p99_ms": {"without": before.message_p99_ms, "with": after.message_p99_ms},
        "dropped": {"without": before.dropped, "with": after.dropped},
        "frames": {"without": before.frames, "with": after.frames},
        "gaps": gaps,
        "bytes_in_the_time_of_a_swap": {"without": grown[0], "with": grown[1]},
        "wrong": swapped.wrong,
    }
    planned = {"asked": swaps, "done": good, "refused": swaps - good, "rolled_back": 0}
    held = {
        "plan": not swapped.wrong
        and figures["counted"] == planned
        and counted["causes"] == dict(swapped.causes),
        "answers": slowest <= ANSWER_WITHIN,
        "numbers": gaps == 0,
        "dropped": after.dropped <= before.dropped / max(1, before.frames) * after.frames + SLACK,
        "p99": after.p99_ms <= 2 * before.p99_ms and after.message_p99_ms <= 2 * before.message_p99_ms,
        "memory": grown[1] - max(0, grown[0]) < BYTES_A_SWAP,
    }
    return all(held.values()), {**figures, "held": held}


def every_two_seconds(folder: Path) -> tuple[bool, dict[str, Any]]:
    """Five minutes of it at 30 frames a second."""
    return trial(folder, round(SECONDS / EVERY), EVERY, BASELINE)


DRILLS = {"swap": every_two_seconds}
