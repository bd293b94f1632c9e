"""The message of a result written at once, as it goes over the wire, where nobody wants to see it before."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from streams import clock, envelope
from streams.frame import Frame

NUMBERS = 400  # bytes that all that changes takes at most, beside the results
_as_text = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_FORM = (
    ',"seq":%d,"boot_id":{boot},"mono_ms":%r,"clock":"%s","ts":"%s","ts_ms":%d,"task":{task},"model":{model},'
    '"frame":{{"id":%d,"width":%d,"height":%d,"age_ms":%r}},'
    '"latency_ms":{{"prepare":%r,"infer":%r,"interpret":%r,"total":%r}},"results":%s}}'
)


class Mould:
    """What stays the same in each message of one source and one project, encoded once; `filled` puts in the rest.

    It gives, byte for byte, what `envelope.dumps` makes of `envelope.infer_message`, in a third of the time. thing,
    source, project, task, model: as there.
    """

    def __init__(self, *, thing: str, source: str, project: str, task: str, model: Mapping[str, Any]) -> None:
        head = {"schema": envelope.INFER, "thing": thing, "source": source, "project": project}
        fixed = {"boot": clock.boot_id(), "task": task, "model": dict(model)}
        texts = {name: _constant(value) for name, value in fixed.items()}
        self._form = _constant(head)[:-1] + _FORM.format(**texts)
        self.most = len(self._form.encode()) + NUMBERS  # bytes of a message without results, at most

    def filled(
        self, *, seq: int, frame: Frame, now: float, wall_ms: int, seconds: Sequence[float], results: str
    ) -> bytes:
        """The message as compact UTF-8 JSON. seconds: of prepare, infer, interpret. results: see `rows`."""
        age = now - frame.captured_at
        ts_ms = wall_ms - round(age * 1000.0)
        height, width = frame.size
        prepare, infer, interpret = seconds
        text = self._form % (
            seq,
            round(frame.captured_at * 1000.0, 1),
            clock.synced(now),
            clock.utc(ts_ms),
            ts_ms,
            frame.id,
            width,
            height,
            round(max(0.0, age) * 1000.0, 1),
            round(prepare * 1000, 3),
            round(infer * 1000, 3),
            round(interpret * 1000, 3),
            round((prepare + infer + interpret) * 1000, 3),
            results,
        )
        return text.encode()


def rows(results: Sequence[Mapping[str, Any]]) -> str | None:
    """The rows of a result as JSON; None where they hold what JSON cannot."""
    try:
        return _as_text(results)
    except (TypeError, ValueError):
        return None


def _constant(value: Any) -> str:
    return _as_text(value).replace("%", "%%")
