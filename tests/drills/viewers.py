"""Drill of the pictures: 200 viewers who take them slowly, and 50 who vanish, cost the loop next to nothing.

A run without a pace is no even thing on two cores: its rate wanders by a tenth and more from second to second with
nobody there, as the threads find one another differently. So windows without and with viewers stand close together,
A B B A, many times over; each round gives one ratio, and the median of the ratios is judged, told with its spread.
"""

import argparse
import contextlib
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from brokers import free_port
from edge_process import command, environment
from projects import fake_finder

SLOW, VANISHING = 200, 50
ROUNDS = 30
MOST_LOST = 0.05  # of the loop's rate
TURNS, READ_EVERY_S, READ_BYTES = 10, 0.5, 16_384  # 32 KB/s for each slow viewer
METRIC = "lensracer_frames_inferred_total{"
SETTLING_S, WINDOW_S = 0.6, 0.8
SOURCE = "synthetic:?size=1280x720&rate=0"
HOST = "127.0.0.1"


def descriptors(pid: int) -> int:
    """How many files a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def left_open(pid: int, before: int) -> int:
    """How many more are open than before, once whoever just left has been cleaned up after."""
    until = time.monotonic() + 5.0
    while (more := descriptors(pid) - before) > 0 and time.monotonic() < until:
        time.sleep(0.1)
    return more


class Crowd:
    """Viewers in one process, which costs next to nothing: a few of them read a little, then it sleeps."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._turn = 0
        self._buffer = bytearray(READ_BYTES)
        self._slow: list[socket.socket] = []
        self.refused = self.bytes = 0

    def come(self) -> None:
        """All open a stream, every other one of each side; those who vanish do so with their first picture begun."""
        self._slow = self._viewers(SLOW)
        vanishing = self._viewers(VANISHING)
        for viewer in vanishing:
            viewer.settimeout(10.0)
            viewer.recv_into(self._buffer)
            viewer.close()

    def go(self) -> None:
        for viewer in self._slow:
            viewer.close()
        self._slow = []

    def look(self) -> None:
        """A tenth of them take a little."""
        for viewer in self._slow[self._turn :: TURNS]:
            with contextlib.suppress(BlockingIOError):
                self.bytes += viewer.recv_into(self._buffer)
        self._turn = (self._turn + 1) % TURNS

    def _viewers(self, count: int) -> list[socket.socket]:
        here = []
        for number in range(count):
            viewer = socket.socket()
            viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BYTES)
            viewer.settimeout(10.0)
            viewer.connect((HOST, self._port))
            side = ("device", "project")[number % 2]
            viewer.sendall(f"GET /main/{side}.mjpeg HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            self.refused += not viewer.recv(32).startswith(b"HTTP/1.1 200")
            viewer.settimeout(0.0)
            here.append(viewer)
        return here


def crowd(port: int) -> int:
    """The process of the viewers: they come and go by each line of its input, until it ends."""
    os.nice(19)  # they stand for other machines
    here, present = Crowd(port), False
    while True:
        if _line_is_there(READ_EVERY_S / TURNS if present else None):
            if not os.read(0, 1):
                break
            present = not present
            (here.come if present else here.go)()
            _tell({})
        here.look()
    here.go()
    _tell({"refused": here.refused, "bytes": here.bytes})
    return 0


def _line_is_there(timeout: float | None) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        return bool(selector.select(timeout))


def _tell(what: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class People:
    """The process of the viewers, from outside."""

    def __init__(self, port: int) -> None:
        path = os.pathsep.join(map(str, (Path(__file__).parents[1] / "tools", Path(__file__).parents[2])))
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--crowd", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": path},
        )

    def _turn(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"!")
        self._heard()

    def _heard(self) -> dict[str, int]:
        assert self._process.stdout is not None
        heard: dict[str, int] = json.loads(self._process.stdout.readline())
        return heard

    @contextlib.contextmanager
    def present(self) -> Iterator[None]:
        """All are there, and those who vanish have vanished; at the end they have left."""
        self._turn()
        time.sleep(SETTLING_S)
        yield
        self._turn()
        time.sleep(SETTLING_S)

    def cpu_s(self) -> float:
        return process_cpu_s(self._process.pid)

    def sent_home(self) -> dict[str, int]:
        """What they saw."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._heard()

    def end(self) -> None:
        self._process.kill()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


def process_cpu_s(pid: int) -> float:
    """Seconds of the processor that all threads of a process took, dead ones included.

    The clock's number is made as glibc's clock_getcpuclockid makes it.
    """
    return time.clock_gettime((~pid << 3) | 2)


def answers(port: int) -> None:
    """Returns when somebody listens."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


class Runtime:
    """`edge run` without a pace, which tells its rate over and over."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            command(
                *("run", fake_finder(folder, size="320x240"), "--source", SOURCE),
                *("--set", f"http.port={self.port}", "--set", "thing=drill"),
            ),
            cwd=folder,
            env=environment(XDG_STATE_HOME=str(folder)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        answers(self.port)

    def frames(self) -> int:
        """How many it has inferred, by its own count."""
        with socket.create_connection((HOST, self.port), 5) as asking:
            asking.sendall(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
            text = b""
            while piece := asking.recv(65_536):
                text += piece
        rows = [line for line in text.decode().splitlines() if line.startswith(METRIC)]
        return int(float(rows[0].split()[-1]))

    def window(self) -> "Window":
        began, before = time.monotonic(), self.frames()
        used, loop = process_cpu_s(self.process.pid), self._loop_s()
        time.sleep(WINDOW_S)
        used, loop = process_cpu_s(self.process.pid) - used, self._loop_s() - loop
        return Window(self.frames() - before, time.monotonic() - began, used, loop)

    def _loop_s(self) -> float:
        """Seconds of the processor that the loop took, which is the first thread."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(30)


class Window(NamedTuple):
    """Frames, and seconds: by the clock, of the processor for the whole process, and for its loop."""

    frames: int
    seconds: float
    cpu_s: float
    loop_s: float

    def with_(self, other: "Window") -> "Window":
        return Window(*(one + more for one, more in zip(self, other, strict=True)))

    @property
    def rate(self) -> float:
        return self.frames / self.seconds


class Round(NamedTuple):
    alone: Window
    watched: Window

    @property
    def lost(self) -> float:
        return 1 - self.watched.rate / self.alone.rate


def one_round(runtime: Runtime, people: People) -> Round:
    """Alone, watched, watched, alone."""
    before = runtime.window()
    with people.present():
        watched = runtime.window().with_(runtime.window())
    return Round(before.with_(runtime.window()), watched)


def told(rounds: list[Round]) -> dict[str, Any]:
    """The ratios of the rounds, and what a frame costs."""
    lost = sorted(each.lost for each in rounds)
    figures: dict[str, Any] = {
        "rounds": len(rounds),
        "rate_alone": round(statistics.median(each.alone.rate for each in rounds), 1),
        "rate_lost": round(statistics.median(lost), 4),
        "rate_lost_quartiles": [round(lost[len(lost) * part // 4], 4) for part in (1, 3)],
        "rate_lost_range": [round(lost[0], 4), round(lost[-1], 4)],
    }
    for name, index in (("cpu_us_per_frame", 2), ("loop_cpu_us_per_frame", 3)):
        for side, windows in (("alone", [r.alone for r in rounds]), ("watched", [r.watched for r in rounds])):
            figures[f"{name}_{side}"] = round(
                statistics.median(1e6 * each[index] / max(1, each.frames) for each in windows), 1
            )
    return figures


def viewers(folder: Path, rounds: int = ROUNDS) -> tuple[bool, dict[str, Any]]:
    """With and without a crowd, in turns in one run: the rate of the loop, and what stays open afterwards."""
    runtime = Runtime(folder)
    people = People(runtime.port)
    try:
        with people.present():  # what is loaded for the first viewer stays open
            time.sleep(2 * SETTLING_S)
        runtime.window()
        open_before, clients_s, began = descriptors(runtime.process.pid), people.cpu_s(), time.monotonic()
        seen = [one_round(runtime, people) for _ in range(rounds)]
        clients = (people.cpu_s() - clients_s) / (time.monotonic() - began)
        left = left_open(runtime.process.pid, open_before)
        crowd = people.sent_home()
    finally:
        people.end()
        code = runtime.end()
    figures = {
        "viewers": SLOW,
        "vanished": VANISHING,
        "refused": crowd["refused"],
        "bytes_taken": crowd["bytes"],
        **told(seen),
        "clients_cpu_share": round(clients, 4),
        "descriptors_left": left,
        "exit_code": code,
    }
    whole = left <= 0 and crowd["refused"] == 0 and crowd["bytes"] > 0 and code == 0
    return whole and figures["rate_lost"] <= MOST_LOST, figures


DRILLS = {"viewers": viewers}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--crowd", type=int, required=True)
    sys.exit(crowd(parser.parse_args().crowd))
