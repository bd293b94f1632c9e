"""What was given up, told as ranges of numbers, so that whoever listens can tell loss from silence.

A gap message goes to `dt/lensracer/<thing>/<source>/gap` and is itself never given up before other messages are:
`{"schema": "lensracer.gap/1", "stream": "infer", "reason": "full", "ranges": [[812, 1020]]}`; both ends are lost.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

Range = list[int]
Lost = dict[tuple[str, str], list[Range]]  # by topic and reason


def note(lost: Lost, topic: str, reason: str, payload: Mapping[str, Any] | bytes) -> None:
    """Adds the number of a message that is given up, where it has one."""
    number = number_of(payload)
    if number is not None:
        lost[topic, reason] = merged(lost.get((topic, reason), []), [[number, number]])


def number_of(payload: Mapping[str, Any] | bytes) -> int | None:
    """The `seq` of a message, None where it has none."""
    try:
        seq = (json.loads(payload) if isinstance(payload, bytes) else payload).get("seq")
    except (ValueError, AttributeError):
        return None
    return seq if isinstance(seq, int) and not isinstance(seq, bool) else None


def topic_of(topic: str) -> str:
    """Where the gaps of a topic are told: its last word becomes `gap`."""
    return f"{topic.rpartition('/')[0]}/gap"


def message(topic: str, reason: str, ranges: list[Range]) -> dict[str, Any]:
    """The gap message of a topic's ranges."""
    stream = topic.rpartition("/")[2]
    return {"schema": "lensracer.gap/1", "stream": stream, "reason": reason, "ranges": ranges}


def merged(ranges: Iterable[Range], more: Iterable[Range]) -> list[Range]:
    """All the ranges in order, neighbours made one."""
    joined: list[Range] = []
    for first, last in sorted([*ranges, *more]):
        if joined and first <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    return joined
