"""The message of one result: built, checked to be plain JSON, and cut to a broker's size."""

import functools
import importlib.resources
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from streams import clock, masks
from streams.errors import PayloadTooLarge
from streams.frame import Frame

INFER = "lensracer.infer/1"
HEALTH = "lensracer.health/1"
STATUS = "lensracer.status/1"
_as_text = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


@functools.cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) that ships with us, by the name that messages carry: "lensracer.infer/1".

    Raises FileNotFoundError for a name that has none.
    """
    file = importlib.resources.files("streams") / "schemas" / f"{name.replace('/', '.')}.json"
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def times(now: float, wall_ms: int, at: float) -> dict[str, Any]:
    """When something happened, four times over: this boot, its monotonic time, the wall clock, and its worth.

    now: monotonic seconds of this moment. wall_ms: wall time of this moment. at: monotonic seconds of the
    event.
    """
    ts_ms = wall_ms - round((now - at) * 1000.0)
    return {
        "boot_id": clock.boot_id(),
        "mono_ms": round(at * 1000.0, 1),
        "clock": clock.synced(now),
        "ts": clock.utc(ts_ms),
        "ts_ms": ts_ms,
    }


def infer_message(
    *,
    thing: str,
    source: str,
    project: str,
    seq: int,
    frame: Frame,
    now: float,
    wall_ms: int,
    task: str,
    model: Mapping[str, Any],
    latency_ms: Mapping[str, float],
    results: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The message `lensracer.infer/1` of one frame, in plain Python types.

    seq: 1 and up, counting per source. now: monotonic seconds of this moment, wall_ms: wall time of this
    moment; the message's own times are the capture's, and `frame.age_ms` is how long ago that was. model:
    name, sha256, backend, device. latency_ms: milliseconds of prepare, infer, interpret, total. results: rows as
    the schema tells them: label, label_id, and by task score, box (x1, y1, x2, y2, each 0..1), track_id, area, mask.
    """
    height, width = frame.size
    return {
        "schema": INFER,
        "thing": thing,
        "source": source,
        "project": project,
        "seq": seq,
        **times(now, wall_ms, frame.captured_at),
        "task": task,
        "model": dict(model),
        "frame": {
            "id": frame.id,
            "width": width,
            "height": height,
            "age_ms": round(max(0.0, now - frame.captured_at) * 1000.0, 1),
        },
        "latency_ms": {stage: round(value, 3) for stage, value in latency_ms.items()},
        "results": [dict(row) for row in results],
    }


def encode(message: Mapping[str, Any], max_bytes: int | None = None) -> bytes:
    """`message` as compact UTF-8 JSON of at most `max_bytes` bytes.

    What is too large gains "truncated": true; its masks are halved, a few times at most, then left out, then its
    results of the lowest score (or area) are, until it fits; a message that has none (health) loses its largest
    sections. Raises PayloadTooLarge when it does not fit even so; ValueError, naming the field, for a number that
    JSON does not have; TypeError for anything that is not plain JSON.
    """
    payload = dumps(message)
    if max_bytes is None or len(payload) <= max_bytes:
        return payload
    results = message.get("results")
    if not isinstance(results, list):
        return _without_details(message, max_bytes)
    rows = list(results)
    for coarser in masks.coarser(rows):
        smaller = dumps({**message, "results": coarser, "truncated": True})
        if len(smaller) <= max_bytes:
            return smaller
    shrunk = _fewest_lost(message, masks.without(rows), max_bytes)
    if shrunk is None:
        raise PayloadTooLarge(
            f"a message of {len(payload)} bytes does not fit into {max_bytes}, not even without its results"
        )
    return shrunk


def shrunk(message: Mapping[str, Any], max_bytes: int | None) -> bytes:
    """`encode`, but what cannot be cut to `max_bytes` stays whole: another transport may take it."""
    try:
        return encode(message, max_bytes)
    except PayloadTooLarge:
        return dumps(message)


_NEEDED = ("sources", "messages")  # by the schema of health


def _without_details(message: Mapping[str, Any], max_bytes: int) -> bytes:
    """The message without its largest sections, as few of them as must go."""
    left = {**message, "truncated": True}
    sections = {
        key: len(dumps(value))
        for key, value in message.items()
        if isinstance(value, dict) and key not in _NEEDED
    }
    for key in sorted(sections, key=lambda key: -sections[key]):
        del left[key]
        if len(payload := dumps(left)) <= max_bytes:
            return payload
    size = len(dumps(message))
    raise PayloadTooLarge(f"a message of {size} bytes does not fit into {max_bytes}, however it is cut")


def _fewest_lost(message: Mapping[str, Any], rows: list[Any], max_bytes: int) -> bytes | None:
    """The longest form that fits: the number of rows kept is found by halving."""
    ranked = sorted(range(len(rows)), key=lambda place: -_score(rows[place]))
    best, low, high = None, 0, len(rows) - 1
    while low <= high:
        kept = (low + high) // 2
        places = sorted(ranked[:kept])
        tried = dumps({**message, "results": [rows[place] for place in places], "truncated": True})
        if len(tried) <= max_bytes:
            best, low = tried, kept + 1
        else:
            high = kept - 1
    return best


def _score(row: Any) -> float:
    value = row.get("score", row.get("area")) if isinstance(row, Mapping) else None
    return float(value) if isinstance(value, int | float) else -math.inf


def dumps(message: Mapping[str, Any]) -> bytes:
    """`message` as compact UTF-8 JSON.

    Raises ValueError or TypeError naming the field that JSON cannot hold.
    """
    try:
        return _as_text(message).encode()
    except (TypeError, ValueError) as error:
        where = _not_plain(message, "")
        raise type_of(error)(f"a message must be plain JSON: {where or error}") from None


def type_of(error: Exception) -> type[Exception]:
    """TypeError stays one; every other refusal (also of text that UTF-8 cannot hold) is a ValueError."""
    return TypeError if isinstance(error, TypeError) else ValueError


def _not_plain(value: Any, path: str) -> str | None:
    """The first field that JSON cannot hold, and what it holds."""
    if value is None or isinstance(value, bool | int | str):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{path} is {value}"
    if isinstance(value, Mapping):
        inner = ((f"{path}.{key}".lstrip("."), item) for key, item in value.items())
    elif isinstance(value, list | tuple):
        inner = ((f"{path}[{place}]", item) for place, item in enumerate(value))
    else:
        return f"{path} is a {type(value).__name__}"
    return next((found for where, item in inner if (found := _not_plain(item, where))), None)
