"""The drill of the bad network: a way to the broker that is late, stands still, is slow, or is cut, again and again.

Nothing is lost, and the loop, unpaced, notices nothing: windows in which the network is bad stand between windows in
which it is good, one run for all of them; the loop's rate and its time of the processor are compared by medians.
"""

import contextlib
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from brokers import mosquitto, running
from kills import BROKER
from proxies import FINE, Proxy, Weather, proxy
from subscriber import Subscriber
from swap_run import Live, live

from edge import project
from edge.options import Options

TOPIC = "dt/lensracer/cam-1/main/infer"
ROUNDS, WINDOW_S = 7, 2.5
WORST_RATE, WORST_CPU = 0.98, 1.02  # of what a good network allows
SETTLED = 40  # messages that may still wait when a window of good network begins
PATIENCE_S = 60.0
CUT_AFTER = 20_011  # bytes: in the middle of some packet


def late(way: Proxy, seconds: float) -> None:
    way.weather = Weather(delay=0.5)


def standing(way: Proxy, seconds: float) -> None:
    way.stall(seconds)


def slow(way: Proxy, seconds: float) -> None:
    way.weather = Weather(rate=2048)


def cut(way: Proxy, seconds: float) -> None:
    way.weather = Weather(cut_after=CUT_AFTER)
    way.cut()


FAULTS: dict[str, Callable[[Proxy, float], None]] = {
    "late": late,
    "standing": standing,
    "slow": slow,
    "cut": cut,
}


class Window(NamedTuple):
    """Frames a second, and microseconds of the processor that the loop's thread took for each."""

    rate: float
    cpu_us: float


class Meter:
    """The loop of a run, seen from outside."""

    def __init__(self, run: Live) -> None:
        self._run = run
        self._clock = time.pthread_getcpuclockid(run.thread)

    def window(self, seconds: float) -> Window:
        began, used, frames = time.monotonic(), time.clock_gettime(self._clock), self._run.tally.frames
        time.sleep(seconds)
        done = self._run.tally.frames - frames
        took, cpu = time.monotonic() - began, time.clock_gettime(self._clock) - used
        return Window(done / took, 1e6 * cpu / max(1, done))


def settle(run: Live) -> None:
    """Waits until hardly anything waits."""
    deadline = time.monotonic() + PATIENCE_S
    while run.run.runtime.spool.status().left > SETTLED:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the spool does not empty: {run.run.runtime.transport.reason}")
        time.sleep(0.02)


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[tuple[Live, Proxy, Subscriber]]:
    """A run of a bundled sample, as quick as it goes, on its way to a broker. At the end it has sent all it could."""
    more = {
        "thing": "cam-1",
        "sources": {"main": {"uri": "synthetic:?rate=0&size=320x240"}},
        "inference.threads": 1,
        "transport.kind": "iot_core",
        "transport.endpoint": "127.0.0.1",
    }
    with running(mosquitto(folder, *BROKER)) as broker, proxy(broker.port) as way:
        ear = Subscriber(broker.port, TOPIC)
        ear.connect()
        place, options = project.find("trash-sorter"), Options(print_messages=True, drain=PATIENCE_S)
        with live(
            place, folder / "state", options, lambda message: None, **more, **{"transport.port": way.port}
        ) as run:
            deadline = time.monotonic() + PATIENCE_S
            while run.tally.frames < 100 and time.monotonic() < deadline:
                time.sleep(0.02)
            yield run, way, ear
            way.weather = FINE
        time.sleep(0.5)
        ear.close()


def trial(folder: Path, rounds: int, seconds: float) -> tuple[bool, dict[str, Any]]:
    """So many rounds of all faults, with windows so long; whether all held, and the figures."""
    good: list[Window] = []
    bad: dict[str, list[Window]] = {name: [] for name in FAULTS}
    with stage(folder) as (run, way, ear):
        meter = Meter(run)
        for _ in range(rounds):
            for name, fault in FAULTS.items():
                settle(run)
                good.append(meter.window(seconds))
                fault(way, seconds)
                bad[name].append(meter.window(seconds))
                way.weather = FINE
        settle(run)
        sender = run.run.runtime.sender
    heard = [json.loads(payload)["seq"] for payload in ear.payloads]
    sent = run.run.traffic().project
    usual = median(good)
    told = {name: compared(median(windows), usual) for name, windows in bad.items()}
    worst = compared(median([window for windows in bad.values() for window in windows]), usual)
    figures = {
        "messages": sent,
        "lost": len(set(range(1, sent + 1)) - set(heard)),
        "duplicates": len(heard) - len(set(heard)),
        "resent": sender.status().resent,
        "dropped": sender.status().dropped,
        "cuts": way.cuts,
        "good_fps": round(usual.rate, 1),
        "good_cpu_us": round(usual.cpu_us, 1),
        "bad": worst,
        "by_fault": told,
    }
    quick = worst["rate"] >= WORST_RATE and worst["cpu"] <= WORST_CPU
    held = {"none_lost": figures["lost"] == 0 and not figures["dropped"], "loop": quick}
    return all(held.values()), {**figures, "held": held}


def median(windows: list[Window]) -> Window:
    rate, cpu = zip(*windows, strict=True)
    return Window(statistics.median(rate), statistics.median(cpu))


def compared(one: Window, other: Window) -> dict[str, float]:
    return {"rate": round(one.rate / other.rate, 4), "cpu": round(one.cpu_us / other.cpu_us, 4)}


def bad_network(folder: Path) -> tuple[bool, dict[str, Any]]:
    """Seven rounds of four faults."""
    return trial(folder, ROUNDS, WINDOW_S)


DRILLS = {"bad-network": bad_network}
