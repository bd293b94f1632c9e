"""The health message: at once, then at its interval, whatever the figures do."""

import time
from typing import Any

import jsonschema

from edge.pulse import Pulse
from streams.envelope import schema
from streams.spool import Kind, MemorySpool

FIGURES: dict[str, Any] = {
    "project": "trash-sorter",
    "http": "http://127.0.0.1:8090",
    "sources": {"main": {"state": "running", "captured": 3, "dropped": 0, "bad": 0, "fps": 29.9}},
    "messages": {"project": 3, "device": 1, "acked": 2, "spooled": 1, "dropped": 0},
    "kernels": {"implementation": "compiled", "level": "v2"},
}


def beat(figures: Any, seconds: float, interval: float) -> MemorySpool:
    spool = MemorySpool(1_000_000)
    pulse = Pulse(
        "cam-1", "dt/lensracer/cam-1/health", spool, figures, clock=time.monotonic, interval=interval
    )
    pulse.start()
    time.sleep(seconds)
    pulse.stop()
    return spool


def test_the_first_health_message_comes_at_once_and_is_valid() -> None:
    import json

    spool = beat(lambda: FIGURES, 0.1, 60.0)
    entry = spool.take()
    assert entry is not None
    assert entry.kind is Kind.TELEMETRY
    jsonschema.Draft202012Validator(schema("lensracer.health/1")).validate(json.loads(entry.payload))
    assert spool.take() is None


def test_figures_that_fail_cost_one_message_and_not_the_pulse() -> None:
    asked = []

    def figures() -> dict[str, Any]:
        asked.append(1)
        if len(asked) == 1:
            raise RuntimeError("not now")
        return FIGURES

    spool = beat(figures, 0.5, 0.05)
    assert spool.take() is not None
