"""The drill of the swap: another project every two seconds, a third of them broken on purpose, under a running loop."""

import contextlib
import functools
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import swap_models
from swap_run import Live, live

from edge import bundle, project, signing
from edge.memory import least_squares_slope, resident_bytes
from inference.files import sha256_of

EVERY, SECONDS, BASELINE = 2.0, 300.0, 60.0
ANSWER_WITHIN = 2.0  # seconds from the request to the first message of the new model
BYTES_A_SWAP = 1024
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
        self.gaps = 0

    def __call__(self, message: dict[str, Any]) -> None:
        self.gaps += self.last > 0 and message["seq"] != self.last + 1
        self.last = message["seq"]
        self.count += 1
        self.first.setdefault(message["model"]["sha256"], time.monotonic())


def quiet(base: Path, folder: Path, seconds: float) -> dict[str, float]:
    """The same run without swaps."""
    with hearing(base, folder / "quiet", {}) as (run, _):
        time.sleep(seconds)
    return costs(run)


def hearing(
    base: Path, state: Path, more: dict[str, Any]
) -> "contextlib.AbstractContextManager[tuple[Live, Ear]]":
    @contextlib.contextmanager
    def opened() -> Any:
        ear = Ear()
        with live(base, state, heard=ear, **SETTINGS, **more) as run:
            yield run, ear

    return opened()


def costs(run: Live) -> dict[str, float]:
    stage = run.tally.stages["capture_to_publish"]
    dropped = sum(feed.status().dropped for feed in run.run.runtime.feeds.values())
    return {"p99_ms": round(stage.percentile(99) * 1000, 2), "dropped": dropped, "frames": run.tally.frames}


def trial(folder: Path, swaps: int, every: float, baseline: float) -> tuple[bool, dict[str, Any]]:
    """So many swaps; whether all held that a swap promises, and the figures."""
    plan = Plan(folder)
    base = plan.project(10_000)
    before = quiet(base, folder, baseline)
    wrong: list[str] = []
    answered: list[float] = []
    memory: list[tuple[int, int]] = []
    causes: Counter[str] = Counter()
    with hearing(base, folder / "state", {"swap.keys": str(plan.keys)}) as (run, ear):
        time.sleep(min(2.0, baseline))
        for number in range(swaps):
            asked, began = plan.asked(number), time.monotonic()
            outcome = run.ask(asked.wanted, local=isinstance(asked.wanted, Path))
            if asked.cause:
                causes[asked.cause] += 1
            if outcome.get("cause", "") != asked.cause or (outcome["outcome"] == "done") != (not asked.cause):
                wrong.append(f"{number}: {asked.cause or 'good'} ended as {outcome}")
            if asked.cause and asked.sha256 in ear.first:
                wrong.append(f"{number}: a message of a broken model left")
            if not asked.cause:
                answered.append(ear.first.get(asked.sha256, began + 999.0) - began)
            memory.append((number, resident_bytes() or 0))
            time.sleep(max(0.0, began + every - time.monotonic()))
        counted = run.run.swap.figures()
    after = costs(run)
    slope = least_squares_slope(memory[len(memory) // 4 :]) or 0.0
    share = before["dropped"] / max(1, before["frames"])
    figures = {
        "swaps": swaps,
        "counted": {name: counted[name] for name in ("asked", "done", "refused", "rolled_back")},
        "causes": counted["causes"],
        "slowest_answer_s": round(max(answered), 3),
        "p99_ms": {"without": before["p99_ms"], "with": after["p99_ms"]},
        "dropped": {"without": before["dropped"], "with": after["dropped"]},
        "frames": {"without": before["frames"], "with": after["frames"]},
        "gaps": ear.gaps,
        "bytes_a_swap": round(slope),
        "wrong": wrong,
    }
    planned = {"asked": swaps, "done": len(answered), "refused": swaps - len(answered), "rolled_back": 0}
    held = {
        "plan": not wrong and figures["counted"] == planned and counted["causes"] == dict(causes),
        "answers": max(answered) <= ANSWER_WITHIN,
        "numbers": ear.gaps == 0,
        "dropped": after["dropped"] <= share * after["frames"] + SLACK,
        "p99": after["p99_ms"] <= 2 * before["p99_ms"],
        "memory": slope < BYTES_A_SWAP,
    }
    return all(held.values()), {**figures, "held": held}


def every_two_seconds(folder: Path) -> tuple[bool, dict[str, Any]]:
    """Five minutes of it at 30 frames a second."""
    return trial(folder, round(SECONDS / EVERY), EVERY, BASELINE)


DRILLS = {"swap": every_two_seconds}
