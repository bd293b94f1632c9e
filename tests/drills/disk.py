"""The drill of the disk: one that is full, one that becomes read-only, and a spool whose file is damaged.

The runtime runs on, tells at /readyz what is wrong, writes again as soon as the disk takes it, and says which numbers
were lost: each number has been received or stands in a gap message.
"""

import contextlib
import json
import random
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import powercut
from brokers import free_port, mosquitto, running
from damage import damage
from edge_process import edge
from kills import BROKER, Runtime, reached
from projects import fake_finder
from proxies import proxy
from subscriber import Subscriber
from telling import digest

from streams.ledger import FILE
from streams.sequence import Sequence

TOPICS = "dt/lensracer/cam-1/main/#"
ROOM = 24  # MiB of the small disk
SHORT_S, LONG_S = 2.0, 15.0  # the second brings more messages than memory keeps while the disk refuses
WAYS, OLD, FRESH = 50, 200, 10
Refuse = Callable[[Runtime], None]
Part = Callable[[Path, float], tuple[bool, dict[str, Any]]]


class Scene:
    """A runtime that is offline at first, and whose disk refuses for a while."""

    def __init__(self, folder: Path, runtime: Runtime, port: int) -> None:
        self._folder, self._runtime, self._port = folder, runtime, port

    def lacks(self, word: str) -> bool:
        """Whether a word is in what /readyz says is missing, or nothing is known of that."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/readyz", timeout=5) as answer:
                told = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                told = json.load(error)
        except OSError:
            return True
        return any(word in each for each in told["missing"])

    def refusal(self, refuse: Refuse, permit: Refuse, seconds: float) -> None:
        """The disk refuses for so long; returns when it has taken everything since."""
        reached(self._runtime, lambda: not self.lacks("disk"), "the disk takes nothing from the start")
        refuse(self._runtime)
        reached(self._runtime, lambda: self.lacks("the disk takes no messages"), "the refusal was not told")
        time.sleep(seconds)
        permit(self._runtime)
        told = len(self._runtime.told)
        reached(self._runtime, lambda: not self.lacks("disk"), "the disk is not used again")
        reached(self._runtime, lambda: len(self._runtime.told) > told, "nothing is committed any more")


def trial(
    folder: Path, refuse: Refuse, permit: Refuse, seconds: float, **how: Any
) -> tuple[bool, dict[str, Any]]:
    """One refusal in a run that is offline at first and comes to its broker later; whether it held, and the figures."""
    port = free_port()
    with running(mosquitto(folder, *BROKER)) as broker, proxy(broker.port) as way:
        ear = Subscriber(broker.port, TOPICS)
        ear.connect()
        way.hold()
        runtime = Runtime(folder, way.port, {"http.enabled": True, "http.port": port, "drain": 60.0}, **how)
        runtime.start()
        try:
            scene = Scene(folder, runtime, port)
            reached(runtime, lambda: len(runtime.told) >= 200, "nothing is committed")
            scene.refusal(refuse, permit, seconds)
            way.release()
            reached(runtime, lambda: not scene.lacks("messages"), "no connection", 60.0)
            seen = len(runtime.told)
            reached(runtime, lambda: len(runtime.told) > seen + 200, "nothing is committed after the refusal")
            quiet(ear)
            code, log = runtime.end(), runtime.log
        finally:
            with contextlib.suppress(Exception):
                runtime.kill()
        time.sleep(0.5)
        ear.close()
    figures = judged(ear.payloads) | {"exit_code": code, "errors_told": log.count("cannot be written")}
    held = (
        figures["unexplained"] == 0 and code == 0 and figures["errors_told"] >= 1 and "Traceback" not in log
    )
    return held, figures


def quiet(ear: Subscriber, timeout: float = 60.0) -> None:
    """Waits until the backlog has come: messages come no faster than they are made."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        newest = json.loads(ear.payloads[-1]) if ear.payloads else {}
        age = newest.get("frame", {}).get("age_ms", 0) if newest else None
        if age is not None and newest.get("ts_ms", 0) > 1000 * time.time() - 1000:
            return
        time.sleep(0.05)


def judged(payloads: list[bytes]) -> dict[str, int]:
    """Numbers received, told to be lost, and neither."""
    numbers, lost = numbers_of(payloads), told_lost(payloads)
    every = set(range(1, max(numbers, default=0) + 1))
    return {
        "received": len(numbers),
        "told_lost": len(lost - numbers),
        "unexplained": len(every - numbers - lost),
    }


def full(folder: Path, seconds: float = LONG_S) -> tuple[bool, dict[str, Any]]:
    """A disk of 24 MiB, in a mount of its own, that somebody else fills to the last byte."""
    state = folder / "state"
    state.mkdir()
    mounting = f'mount -t tmpfs -o size={ROOM}m none "{state}" && exec "$@"'
    filling = state / "filling"

    def seen_by(runtime: Runtime) -> Path:
        return Path(f"/proc/{runtime.pid}/root{filling}")

    def refuse(runtime: Runtime) -> None:
        with contextlib.suppress(OSError), seen_by(runtime).open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def permit(runtime: Runtime) -> None:
        seen_by(runtime).unlink()

    return trial(folder, refuse, permit, seconds, before=["unshare", "-rm", "sh", "-c", mounting, "sh"])


def read_only(folder: Path, seconds: float = SHORT_S) -> tuple[bool, dict[str, Any]]:
    """A disk that takes nothing for a while, as after an error of it."""
    sign = folder / "refuse"
    environ = {
        "LD_PRELOAD": str(powercut.preload("refusing_disk", folder)),
        "REFUSE_WHILE": str(sign),
        "REFUSE_BELOW": str(folder / "state"),
    }
    return trial(folder, lambda _: sign.touch(), lambda _: sign.unlink(), seconds, **environ)


ARRIVES_S = 10.0  # after the end of a run


def damaged(folder: Path, ways: int = WAYS) -> tuple[bool, dict[str, Any]]:
    """A spool's file damaged in so many ways: each time the next run starts, all of its own messages arrive, and of the
    old ones each arrives or is told to be lost."""
    made = backlog(folder)
    wrong: list[str] = []
    whole = told = set_aside = 0
    with running(mosquitto(folder, *BROKER)) as broker:
        ear = Subscriber(broker.port, TOPICS)
        ear.connect()
        for way in range(ways):
            place, before = folder / f"way-{way}", len(ear.payloads)
            shutil.copytree(made.place, place)
            damage(place / (f"{FILE}-wal" if way % 2 else FILE), random.Random(way))
            done = run(folder, place, broker.port, FRESH, "--drain", "20")
            # The broker acknowledges before it passes on: the run may have ended, and the last of it not be here yet.
            reached_by(lambda before=before: made.accounted(ear.payloads[before:]), ARRIVES_S)
            came = numbers_of(ear.payloads[before:])
            fresh = later(ear.payloads[before:], made.last)
            if done.code != 0 or "Traceback" in done.output or len(fresh) != FRESH:
                wrong.append(f"way {way}: exit code {done.code}, {len(fresh)} new messages")
            intact = {digest(payload) for payload in ear.payloads[before:]} & made.digests
            if len(intact) != len(came & made.numbers):
                wrong.append(f"way {way}: an old message is not what was put")
            lost = told_lost(ear.payloads[before:])
            if made.numbers - came - lost:
                wrong.append(
                    f"way {way}: {len(made.numbers - came - lost)} old messages are gone, and nothing was told"
                )
            if lost & came:
                wrong.append(f"way {way}: {len(lost & came)} old messages that came were told to be lost")
            whole += made.numbers <= came
            told += bool(lost)
            set_aside += bool(list(place.glob(f"{FILE}.damaged-*")))
            shutil.rmtree(place)
        ear.close()
    figures = {
        "ways": ways,
        "nothing_lost": whole,
        "loss_told": told,
        "set_aside": set_aside,
        "wrong": wrong[:10],
    }
    return not wrong, figures


class Backlog(NamedTuple):
    """A state folder, the last number given in it, and the numbers and digests of what was committed for sure."""

    place: Path
    last: int
    numbers: set[int]
    digests: set[int]

    def accounted(self, payloads: list[bytes]) -> bool:
        """Whether all new messages came, and each old one came or was told to be lost."""
        here = numbers_of(payloads)
        return len(later(payloads, self.last)) >= FRESH and self.numbers <= here | told_lost(payloads)


def backlog(folder: Path) -> Backlog:
    """Messages that wait, most of them in the log of a process that was killed.

    What the last commits before the kill held is not asked for: the register notes a commit after it, so that a kill in
    between and a damage together can take it in silence.
    """
    runtime = Runtime(folder, free_port())
    runtime.start()
    try:
        reached(runtime, lambda: len(runtime.told) >= OLD, "nothing is committed")
        old = list(runtime.told)
        reached(runtime, lambda: len(runtime.told) >= len(old) + OLD, "nothing more is committed")
    finally:
        runtime.kill()
    place = folder / "state"
    with Sequence(place) as numbers:
        last = numbers.last("infer", "main")
    return Backlog(place, last, {number for number, _ in old}, {made for _, made in old})


def run(folder: Path, place: Path, port: int, frames: int, *words: str) -> Any:
    return edge(
        *(
            "run",
            fake_finder(folder),
            "--source",
            "synthetic:?rate=0&size=64x48",
            "--frames",
            str(frames),
            *words,
        ),
        *("--transport", f"mqtt://127.0.0.1:{port}", "--set", f"spool.path={place}", "--set", "thing=cam-1"),
        *("--set", "http.enabled=false", "--set", "streams.device.enabled=false"),
        folder=folder,
    )


def numbers_of(payloads: list[bytes]) -> set[int]:
    """The numbers of the results among the messages."""
    messages = [json.loads(payload) for payload in payloads]
    return {each["seq"] for each in messages if each["schema"] == "lensracer.infer/1"}


def told_lost(payloads: list[bytes]) -> set[int]:
    """The numbers that gap messages name."""
    messages = [json.loads(payload) for payload in payloads]
    ranges = [pair for each in messages if each["schema"] == "lensracer.gap/1" for pair in each["ranges"]]
    return {number for first, last in ranges for number in range(first, last + 1)}


def later(payloads: list[bytes], last: int) -> set[int]:
    """The numbers above the last of the run before."""
    return {number for number in numbers_of(payloads) if number > last}


def reached_by(holds: Callable[[], bool], timeout: float = 5.0) -> None:
    deadline = time.monotonic() + timeout
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)


def steps(folder: Path) -> Iterator[Path]:
    """A folder of its own for each part of the drill."""
    for name in ("full", "read-only", "damaged"):
        (folder / name).mkdir()
        yield folder / name


def disk(folder: Path) -> tuple[bool, dict[str, Any]]:
    """All three."""
    first, second, third = steps(folder)
    told = {"full": full(first), "read_only": read_only(second), "damaged": damaged(third)}
    return all(held for held, _ in told.values()), {name: figures for name, (_, figures) in told.items()}


DRILLS = {"disk": disk}
