"""Drills of the camera: a long steady run that somebody watches, and a broker that is killed again and again."""

import contextlib
import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from brokers import Broker, free_port, mosquitto, running
from edge_process import start
from projects import fake_finder

STEADY_FRAMES = 20_000
KILLS = 5
OVERHEAD_MS = 0.5
BYTES_A_FRAME = 100


@contextlib.contextmanager
def viewer(port: int) -> Iterator[dict[str, int]]:
    """Somebody who watches the project stream until the end; counts the bytes that come."""
    seen = {"bytes": 0}
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            with contextlib.suppress(OSError):
                address = f"http://127.0.0.1:{port}/main/project.mjpeg"
                with urllib.request.urlopen(address, timeout=5) as stream:
                    while not ended.is_set() and (part := stream.read(65_536)):
                        seen["bytes"] += len(part)
            ended.wait(0.2)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join(6)


def finished(folder: Path, broker: Broker, *words: str, timeout: float) -> tuple[int, dict[str, Any]]:
    """Run to the end with a report; the exit code and the report."""
    process = start(
        *("run", fake_finder(folder, size="320x240"), "--transport", f"mqtt://127.0.0.1:{broker.port}"),
        *("--report", "report.json", "--drain", "30", *words),
        folder=folder,
    )
    try:
        process.communicate(timeout=timeout)
    finally:
        process.kill()
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return process.returncode, report


def steady(folder: Path) -> tuple[bool, dict[str, Any]]:
    """20,000 frames of 720p, device stream on, one viewer: the loop stays quick and the memory flat."""
    port = free_port()
    with running(mosquitto(folder)) as broker, viewer(port) as seen:
        code, report = finished(
            folder,
            broker,
            *("--source", "synthetic:?size=1280x720&rate=100", "--frames", str(STEADY_FRAMES)),
            *("--set", f"http.port={port}"),
            timeout=900,
        )
    overhead, slope = report["latency_ms"]["loop_overhead"], report["rss_slope_bytes_per_frame"]
    figures = {
        "frames": report["frames"]["inferred"],
        "acked": report["messages"]["acked"],
        "pictures": report["messages"]["device"],
        "viewer_bytes": seen["bytes"],
        "overhead_p50_ms": overhead["p50"],
        "overhead_p99_ms": overhead["p99"],
        "bytes_per_frame": slope,
        "fps": report["fps"],
    }
    whole = code == 0 and figures["acked"] == STEADY_FRAMES and seen["bytes"] > 0
    return whole and overhead["p50"] < OVERHEAD_MS and slope < BYTES_A_FRAME, figures


def broker_killed(folder: Path) -> tuple[bool, dict[str, Any]]:
    """The broker is killed -9 five times during a run: every message is acknowledged in the end, none given up."""
    with running(mosquitto(folder)) as broker:
        ended = threading.Event()

        def kill() -> None:
            for _ in range(KILLS):
                if ended.wait(3.0):
                    return
                broker.kill()
                time.sleep(0.5)
                broker.start()

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        code, report = finished(
            folder, broker, "--source", "synthetic:?rate=100", "--frames", "2500", timeout=180
        )
        ended.set()
        killer.join(15)
    messages = report["messages"]
    figures = {"exit_code": code, "kills": KILLS, **messages}
    return code == 0 and messages["acked"] == 2500 and messages["dropped"] == 0, figures


DRILLS = {"camera-steady": steady, "camera-broker-killed": broker_killed}
