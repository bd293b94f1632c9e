"""A message of the project stream as it is shown. Nothing in it is believed before it is looked at."""

import dataclasses
import json
import math
import unicodedata
from collections.abc import Mapping
from typing import Any

LONGEST_TEXT = 80  # characters of a label or a name; a page is no place for more
MOST_RESULTS = 12  # of one message in the table
STAGES = ("prepare", "infer", "interpret", "total")


class Unreadable(ValueError):
    """A payload that is not a message of the project stream. The text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sighting:
    """One message of the project stream.

    arrived_at: the console's monotonic seconds. ts_ms, mono_ms: the device's wall and monotonic milliseconds.
    frame: the frame's number, None where the message names none. age_ms: of the frame, when it was published.
    latency_ms: by stage. results: (label, score or area 0..1 or None), as many as are shown; the label of a thing
    that is followed ends with its number. more: how many are not shown.
    model: name, sha256, backend and device, each as text.
    """

    source: str
    project: str
    task: str
    arrived_at: float
    ts_ms: float | None
    mono_ms: float | None
    boot_id: str
    seq: int | None
    frame: int | None
    age_ms: float | None
    latency_ms: Mapping[str, float]
    results: tuple[tuple[str, float | None], ...]
    more: int
    model: Mapping[str, str]


def read(source: str, payload: bytes, arrived_at: float) -> Sighting:
    """The sighting of a payload on the topic of `source`. Raises Unreadable."""
    message = mapping_of(payload)
    frame, latency = inner(message, "frame"), inner(message, "latency_ms")
    results = message.get("results")
    results = results if isinstance(results, list) else []
    return Sighting(
        source=source,
        project=text(message.get("project")),
        task=text(message.get("task")),
        arrived_at=arrived_at,
        ts_ms=number(message.get("ts_ms")),
        mono_ms=number(message.get("mono_ms")),
        boot_id=text(message.get("boot_id")),
        seq=whole(message.get("seq")),
        frame=whole(frame.get("id")),
        age_ms=number(frame.get("age_ms")),
        latency_ms={stage: ms for stage in STAGES if (ms := number(latency.get(stage))) is not None},
        results=tuple(result(each) for each in results[:MOST_RESULTS]),
        more=max(0, len(results) - MOST_RESULTS),
        model={key: text(value) for key, value in inner(message, "model").items() if isinstance(key, str)},
    )


def mapping_of(payload: bytes) -> dict[str, Any]:
    """The JSON object in a payload. Raises Unreadable for anything else."""
    try:
        message = json.loads(payload)
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise Unreadable("not a JSON object")
    return message


def inner(message: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = message.get(key)
    return value if isinstance(value, dict) else {}


def result(value: object) -> tuple[str, float | None]:
    if not isinstance(value, dict):
        return text(value), None
    label = text(value.get("label", value.get("label_id"))) or "(no label)"
    track = whole(value.get("track_id"))
    named = label if track is None else f"{label} #{track}"
    return named, number(value.get("score", value.get("area")))


def text(value: object, longest: int = LONGEST_TEXT) -> str:
    """`value` as one line without control and direction marks, clipped to `longest`; "" for None."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return f"({type(value).__name__})"
    line = value if isinstance(value, str) else json.dumps(value)
    clipped = line[: longest + 1]
    shown = "".join("·" if unicodedata.category(sign)[0] == "C" else sign for sign in clipped)
    return shown if len(shown) <= longest else shown[:longest] + "…"


def number(value: object) -> float | None:
    """A finite number that a page can show, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        amount = float(value)
    except OverflowError:
        return None
    return amount if math.isfinite(amount) and abs(amount) < 1e15 else None


def whole(value: object) -> int | None:
    return int(value) if isinstance(value, int) and number(value) is not None else None
