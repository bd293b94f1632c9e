"""As AWS's own machine-learning components for Greengrass speak: `ml/lensracer/<type>`, with `inference-results`.

Their form has two types, image-classification and object-detection; an activity is told as the former, a segmentation
not at all. At most five results from a score of 0.3 on, the score as text, a box as the text that NumPy prints:
`[ymin xmin ymax xmax]`, each 0 to 1.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from streams.dialects import About, Message, score_of
from streams.spool import Item, Kind

TYPES = {
    "classification": "image-classification",
    "activity": "image-classification",
    "detection": "object-detection",
}
MOST, LEAST = 5, 0.3
DESCRIPTION = f"Top {MOST} predictions with score {LEAST} or above "  # with the blank at the end


class AwsMl:
    """See streams.dialects.Dialect."""

    topics = tuple(f"ml/lensracer/{kind}" for kind in dict.fromkeys(TYPES.values()))
    listens: tuple[str, ...] = ()
    alternates: Mapping[str, str] = {}

    def introduction(self, about: About) -> Iterable[Item]:
        return ()

    def said(self, message: Message) -> Iterable[Item]:
        kind = TYPES.get(str(message.get("task")))
        if kind is None:
            return
        rows = message.get("results")
        sure = [row for row in rows if score_of(row) >= LEAST] if isinstance(rows, list) else []
        told = {
            "timestamp": moment(message.get("ts_ms", 0)),
            "inference-type": kind,
            "inference-description": DESCRIPTION,
            "inference-results": [result(row) for row in sorted(sure, key=score_of, reverse=True)[:MOST]],
        }
        yield Item(f"ml/lensracer/{kind}", told, Kind.TELEMETRY)


def result(row: Mapping[str, Any]) -> dict[str, str]:
    told = {"Label": str(row.get("label", "")), "Score": f"{score_of(row):.4g}"}
    box = row.get("box")
    if isinstance(box, list | tuple) and len(box) == 4:
        x1, y1, x2, y2 = (f"{float(each):.8g}" for each in box)
        told["Boundaries"] = f"[{y1} {x1} {y2} {x2}]"
    return told


def moment(ts_ms: int) -> str:
    """As `str(datetime.now())` of a device whose time zone is UTC: "2026-11-22 06:25:00.123000"."""
    return f"{datetime.fromtimestamp(ts_ms / 1000, UTC):%Y-%m-%d %H:%M:%S.%f}"


def made(thing: str, form: str) -> AwsMl:
    return AwsMl()
