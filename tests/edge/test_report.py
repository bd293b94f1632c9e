"""The report has every field, says the truth in each, and is written whole."""

import json
from pathlib import Path

from edge import redaction
from edge.ending import Ending
from edge.memory import Growth
from edge.report import Traffic, report, write
from edge.tally import Tally
from streams.feed import FeedStatus

FIELDS = {
    *("frames", "messages", "acks", "fps", "latency_ms", "cpu_seconds", "peak_rss_bytes"),
    *("rss_slope_bytes_per_frame", "model", "kernels", "hook", "swaps", "cost", "drive", "lambda", "error"),
}


def example() -> dict[str, object]:
    tally = Tally()
    tally.inferred["main"] = 90
    tally.stale["main"] = 2
    tally.skipped["main"] = 3
    for stage in tally.stages.values():
        stage.add(0.002)
    return report(
        tally=tally,
        growth=Growth(),
        feeds={"main": FeedStatus("ended", 100, 5, 4, 0, 0, 0, None, None, "a clip")},
        traffic=Traffic(project=90, device=3, acked=90, payload_bytes=900_000, acks="broker"),
        model={"name": "m", "sha256": "0", "backend": "fake", "device": "CPU"},
        project="p",
        hook={"errors": 1, "slow": 2, "worst_ms": 30.0},
        swaps={"asked": 3, "done": 1, "refused": 2, "rolled_back": 0, "causes": {"latency": 2}},
        seconds=30.0,
        ending=Ending(0),
    )


def test_every_field_of_the_schema_is_there() -> None:
    made = example()
    assert made.keys() >= FIELDS
    assert made["frames"] == {
        "captured": 100,
        "inferred": 90,
        "dropped": 5,
        "stale": 2,
        "bad": 7,
        "senseless": 0,
    }
    assert made["messages"] == {"project": 90, "device": 3, "acked": 90, "spooled": 0, "dropped": 0}
    assert made["fps"] == 3.0
    stages = made["latency_ms"]
    assert isinstance(stages, dict)
    assert set(stages) == {"prepare", "infer", "interpret", "loop_overhead", "capture_to_publish"}
    assert all(set(stage) == {"p50", "p95", "p99", "max"} for stage in stages.values())


def test_a_written_report_is_whole_and_holds_no_secret(tmp_path: Path) -> None:
    redaction.remember("canary-7Q")
    path = tmp_path / "new" / "report.json"
    write({"error": "rtsp://viewer:canary-7Q@host/live"}, path)
    assert "canary" not in path.read_text()
    assert json.loads(path.read_text())["error"]
    assert [each.name for each in path.parent.iterdir()] == ["report.json"]
