"""The report of a run, schema `lensracer.report/1`: what was asked, what came, how long it took."""

import contextlib
import dataclasses
import json
import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kernels
from edge import cost, redaction
from edge.ending import Ending
from edge.errors import ConfigInvalid, Fault
from edge.memory import Growth, peak_bytes
from edge.tally import Tally
from streams.feed import FeedStatus
from streams.health import INTERVAL_S

SCHEMA = "lensracer.report/1"


@dataclasses.dataclass(frozen=True)
class Traffic:
    """What left. project, device: messages and pictures handed over; acked: messages of the project stream that were
    acknowledged, by `acks`; spooled: messages of all kinds that still wait; dropped: given up; payload_bytes: sent.
    sent: messages and billable units by stream."""

    project: int = 0
    device: int = 0
    acked: int = 0
    spooled: int = 0
    dropped: int = 0
    payload_bytes: int = 0
    acks: str = "local"
    sent: Mapping[str, cost.Sent] = dataclasses.field(default_factory=dict)

    def messages(self) -> dict[str, int]:
        names = ("project", "device", "acked", "spooled", "dropped")
        return {name: getattr(self, name) for name in names}


def report(
    *,
    tally: Tally,
    growth: Growth,
    feeds: Mapping[str, FeedStatus],
    traffic: Traffic,
    model: Mapping[str, str],
    project: str,
    hook: Mapping[str, float],
    swaps: Mapping[str, Any],
    seconds: float,
    ending: Ending,
) -> dict[str, Any]:
    """The report as a plain mapping. `seconds` is the wall time from the first frame to the last result."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "schema": SCHEMA,
        "project": project,
        "frames": frames(tally, feeds),
        "sources": {name: source(status, tally, name) for name, status in feeds.items()},
        "messages": traffic.messages(),
        "acks": traffic.acks,
        "seconds": round(seconds, 3),
        "fps": round(tally.frames / seconds, 2) if seconds > 0 else 0.0,
        "latency_ms": {name: stage.summary_ms() for name, stage in tally.stages.items()},
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_rss_bytes": peak_bytes(),
        "rss_slope_bytes_per_frame": rounded(growth.slope()),
        "model": dict(model),
        "kernels": which_kernels(),
        "hook": dict(hook),
        "swaps": dict(swaps),
        "cost": cost.measured(traffic.sent, seconds, paced={"health": INTERVAL_S}),
        "drive": None,
        "lambda": None,
        "exit_code": ending.code,
        "error": ending.error,
    }


def which_kernels() -> dict[str, str]:
    return {"implementation": kernels.IMPLEMENTATION, "level": kernels.LEVEL}


def frames(tally: Tally, feeds: Mapping[str, FeedStatus]) -> dict[str, int]:
    """All sources together. `bad` are pictures that could not be decoded or not be put before the model.

    `senseless` are inferred ones of which the model's answer was no number.
    """
    return {
        "captured": sum(status.captured for status in feeds.values()),
        "inferred": tally.frames,
        "dropped": sum(status.dropped for status in feeds.values()),
        "stale": tally.stale.total(),
        "bad": sum(status.bad for status in feeds.values()) + tally.skipped.total(),
        "senseless": tally.senseless.total(),
    }


def source(status: FeedStatus, tally: Tally, name: str) -> dict[str, Any]:
    return {
        "describes": status.describes,
        "state": status.state,
        "captured": status.captured,
        "inferred": tally.inferred[name],
        "dropped": status.dropped,
        "bad": status.bad,
        "reopened": status.reopened,
        "error": str(status.error) if status.error else None,
    }


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def check(path: Path) -> None:
    """Try whether a report can be written there, before a long run. Raises ConfigInvalid."""
    if is_special(path):
        return
    unfinished = unfinished_of(path)
    try:
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.touch()
        unfinished.unlink()
    except OSError as error:
        told = f"the report cannot be written to {path}: {error.strerror}"
        raise ConfigInvalid(Fault(told, "--report", "command line")) from None


def write(content: Mapping[str, Any], path: Path) -> None:
    """Write a report as JSON, whole or not at all, and without any secret. Raises OSError."""
    text = redaction.hide(json.dumps(content, indent=2, ensure_ascii=False)) + "\n"
    if is_special(path):
        path.write_text(text, encoding="utf-8")
        return
    unfinished = unfinished_of(path)
    try:
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path.resolve())
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def is_special(path: Path) -> bool:
    """Whether it is a pipe or a device, such as /dev/stdout: no file may take its place."""
    return path.exists() and not path.is_file()


def unfinished_of(path: Path) -> Path:
    """Beside the file itself, wherever a link to it stands."""
    whole = path.resolve()
    return whole.with_name(whole.name + ".part")
