"""The runtime as it stands, from a source to published messages, in a process of its own: its figures as JSON.

`python engine_ours.py PROJECT --frames N [--pictures FOLDER] [--broker PORT] [--requests N]`: without a folder of
JPEGs the frames come from memory, 720p and unpaced. The first WARM_UP frames count for nothing.
"""

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import numpy as np  # noqa: E402
import scenes  # noqa: E402

from edge import build, project  # noqa: E402
from edge import config as configuration  # noqa: E402
from edge.options import Options  # noqa: E402
from edge.run import Run  # noqa: E402
from edge.signals import Signals  # noqa: E402
from edge.tally import Tally  # noqa: E402
from streams.feed import Feed  # noqa: E402
from streams.inbox import Inbox  # noqa: E402
from streams.sources import Shot  # noqa: E402

WARM_UP = 60
SIZE = (720, 1280)


class Memory:
    """Frames that lie ready: read without end, and without any work."""

    live = False
    notice: str | None = None

    def __init__(self) -> None:
        self._shots = [Shot(np.roll(scenes.scene(*SIZE), 16 * turn, axis=1)) for turn in range(4)]
        self._next = 0

    def describe(self) -> str:
        return "frames in memory"

    def open(self) -> None:
        self._next = 0

    def read(self) -> Shot | None:
        self._next += 1
        return self._shots[self._next % len(self._shots)]

    def close(self) -> None:
        return


class Marked(Run):
    """A run that reads its clocks again when it is warm."""

    warm_at = warm_cpu = 0.0

    def _look(self) -> None:
        super()._look()
        if not self.warm_at and self.tally.frames >= WARM_UP:
            self.warm_at, self.warm_cpu = time.perf_counter(), time.process_time()


def life(given: argparse.Namespace) -> Marked:
    source = given.pictures or "synthetic:"
    overrides = {
        "sources": {"main": {"uri": str(source), "loop": True} if given.pictures else {"uri": source}},
        "http.enabled": False,
        "streams.device.enabled": False,
        "spool.path": str(given.state),
        "inference.requests": given.requests,
    }
    if given.broker:
        overrides |= {"transport.kind": "iot_core", "transport.endpoint": "127.0.0.1"}
        overrides |= {"transport.port": given.broker, "transport.budget": "none"}
    config = configuration.load(None, {}, overrides)
    tally = Tally()
    runtime = build.runtime(
        config, project.load(given.project), on_sent=tally.stages["capture_to_publish"].add
    )
    if not given.pictures:
        inbox = Inbox()
        feed = Feed("main", Memory(), inbox.slot("main", lossless=True))
        runtime = dataclasses.replace(runtime, inbox=inbox, feeds={"main": feed})
    return Marked(runtime, tally, Options(frames=given.frames + WARM_UP))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--broker", type=int)
    parser.add_argument("--requests", type=int, default=1)
    parser.add_argument("--state", type=Path, required=True)
    given = parser.parse_args()
    run = life(given)
    with Signals(run.runtime.inbox.wake) as signals:
        run.begin()
        run.work(signals)
        seconds, cpu = time.perf_counter() - run.warm_at, time.process_time() - run.warm_cpu
        run.end(signals)
    stages = {name: stage.summary_ms() for name, stage in run.tally.stages.items()}
    beside = sum(stages[name]["p50"] for name in ("prepare", "interpret", "loop_overhead"))
    figures = {
        "frames": given.frames,
        "fps": given.frames / seconds,
        "cpu_s_per_1000": cpu / given.frames * 1000,
        "beside_infer_ms": beside,
        "sent": run.traffic().project,
        "stages": stages,
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
