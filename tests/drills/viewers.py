"""Drill of the pictures: 200 viewers who take them slowly, and 50 who vanish, cost the loop next to nothing."""

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
from typing import Any

from brokers import free_port
from edge_process import command, environment
from projects import fake_finder

SLOW, VANISHING = 200, 50
ROUNDS = 7
MOST_LOST = 0.05  # of the loop's rate
READ_EVERY_S, READ_BYTES = 0.25, 8192  # 32 KB/s for each slow viewer
METRIC = "lensracer_frames_inferred_total{"
SETTLING_S, WINDOW_S = 1.0, 3.0
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
    """Viewers in one process: they read a little now and then, or vanish in the middle of a picture."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._selector = selectors.DefaultSelector()
        self.refused = self.bytes = 0

    def come(self, count: int) -> list[socket.socket]:
        """So many open both streams, half of them each."""
        here = []
        for number in range(count):
            viewer = socket.socket()
            viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
            viewer.settimeout(10.0)
            viewer.connect((HOST, self._port))
            side = ("device", "project")[number % 2]
            viewer.sendall(f"GET /main/{side}.mjpeg HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            self.refused += not viewer.recv(32).startswith(b"HTTP/1.1 200")
            viewer.settimeout(0.0)
            here.append(viewer)
        return here

    def watch(self, slow: list[socket.socket], seconds: float) -> None:
        """Everybody takes a little at a time, each at a moment of its own."""
        until, turn, share = time.monotonic() + seconds, 0, len(slow) // 10
        while time.monotonic() < until:
            for viewer in slow[turn * share : (turn + 1) * share]:
                with contextlib.suppress(BlockingIOError):
                    self.bytes += len(viewer.recv(READ_BYTES))
            turn = (turn + 1) % 10
            time.sleep(READ_EVERY_S / 10)


def crowd(port: int) -> int:
    """The process of the viewers: stays until its input ends; tells then what it saw."""
    os.nice(5)  # they stand for other machines
    here = Crowd(port)
    slow = here.come(SLOW)
    vanishing = here.come(VANISHING)
    sys.stdout.write("there\n")
    sys.stdout.flush()
    here.watch(slow, 1.0)
    for viewer in vanishing:
        viewer.close()
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    while not selector.select(0):
        here.watch(slow, 0.5)
    before = {"refused": here.refused, "bytes": here.bytes}
    for viewer in slow:
        viewer.close()
    sys.stdout.write(json.dumps(before) + "\n")
    return 0


@contextlib.contextmanager
def watched(port: int) -> Iterator[dict[str, int]]:
    """A crowd, all of which is there; what it saw afterwards."""
    words = [sys.executable, __file__, "--crowd", str(port)]
    path = os.pathsep.join(map(str, (Path(__file__).parents[1] / "tools", Path(__file__).parents[2])))
    people = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    seen: dict[str, int] = {}
    assert people.stdin is not None
    assert people.stdout is not None
    try:
        assert people.stdout.readline() == "there\n"
        yield seen
        people.stdin.close()
        seen.update(json.loads(people.stdout.readline()))
    finally:
        people.kill()
        people.wait(10)
        people.stdout.close()


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

    def rate(self, seconds: float) -> float:
        began, before = time.monotonic(), self.frames()
        time.sleep(seconds)
        return (self.frames() - before) / (time.monotonic() - began)

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(30)


def viewers(folder: Path) -> tuple[bool, dict[str, Any]]:
    """With and without a crowd, in turns in one run: the rate of the loop, and what stays open afterwards."""
    runtime = Runtime(folder)
    shares, alone, refused, taken = [], [], 0, 0
    try:
        with watched(runtime.port):  # what is loaded for the first viewer stays open
            time.sleep(2 * SETTLING_S)
        runtime.rate(2 * SETTLING_S)
        open_before = descriptors(runtime.process.pid)
        for _ in range(ROUNDS):
            before = runtime.rate(WINDOW_S)
            with watched(runtime.port) as seen:
                time.sleep(SETTLING_S)
                crowded = runtime.rate(WINDOW_S)
            refused, taken = refused + seen["refused"], taken + seen["bytes"]
            time.sleep(SETTLING_S)
            after = runtime.rate(WINDOW_S)
            alone.append((before + after) / 2)
            shares.append(crowded / alone[-1])
        left = left_open(runtime.process.pid, open_before)
    finally:
        code = runtime.end()
    share = statistics.median(shares)
    figures = {
        "viewers": SLOW,
        "vanished": VANISHING,
        "refused": refused,
        "bytes_taken": taken,
        "rate_alone": round(statistics.median(alone), 1),
        "rate_lost": round(1 - share, 4),
        "rate_lost_rounds": [round(1 - each, 4) for each in shares],
        "descriptors_left": left,
        "exit_code": code,
    }
    return share >= 1 - MOST_LOST and left <= 0 and refused == 0 and taken > 0, figures


DRILLS = {"viewers": viewers}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--crowd", type=int, required=True)
    sys.exit(crowd(parser.parse_args().crowd))
