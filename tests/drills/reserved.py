"""Drill `reserved-topics`: a broker cuts whoever publishes to a topic that it keeps for itself, as AWS IoT does."""

import json
from pathlib import Path
from typing import Any

from brokers import mosquitto, running
from edge_process import start
from projects import fake_finder
from topic_cutter import cutting
from witness import witness

RATE = 30
FRAMES = 1800
OTHER = "deeplens/cam-1/infer"
MOST_CUTS = 3


def trial(folder: Path, frames: int) -> tuple[bool, dict[str, Any]]:
    """So many frames at 30 a second. Every message of both streams must arrive, the connection be cut three times and
    no more, and the dialect's messages be on the alternate topic."""
    with (
        running(mosquitto(folder)) as broker,
        cutting(broker.port) as cutter,
        witness(broker.port) as present,
        witness(broker.port, "$aws/#") as reserved,
    ):
        process = start(
            *("run", fake_finder(folder), "--transport", f"mqtt://127.0.0.1:{cutter.port}"),
            *("--source", f"synthetic:?rate={RATE}&size=320x240", "--frames", str(frames), "--drain", "30"),
            *("--set", "thing=cam-1", "--set", "streams.dialects=[deeplens]", "--report", "report.json"),
            folder=folder,
        )
        with process:
            try:
                _, told = process.communicate(timeout=60 + 2 * frames / RATE)
            finally:
                process.kill()
        heard = [(each.topic, each.payload) for each in present.heard]
        leaked = len(reserved.heard)
    report = json.loads((folder / "report.json").read_text())
    numbers = {json.loads(payload)["seq"] for topic, payload in heard if topic.endswith("/main/infer")}
    figures = {
        "exit_code": process.returncode,
        "frames": report["frames"]["inferred"],
        "cuts": len(cutter.cuts),
        "results": len(numbers),
        "alternate": sum(topic == OTHER for topic, _ in heard),
        "leaked": leaked,
        "dropped": report["messages"]["dropped"],
        "sentences": told.count(f"Its messages go to {OTHER} now"),
    }
    held = {
        "ended_well": process.returncode == 0 and figures["dropped"] == 0,
        "no_endless_loop": figures["cuts"] == MOST_CUTS and figures["sentences"] == 1 and leaked == 0,
        "results": numbers == set(range(1, figures["frames"] + 1)),
        "dialect": figures["alternate"] >= figures["frames"],
    }
    return all(held.values()), {**figures, "held": held}


def reserved_topics(folder: Path) -> tuple[bool, dict[str, Any]]:
    """A minute of it."""
    return trial(folder, FRAMES)


DRILLS = {"reserved-topics": reserved_topics}
