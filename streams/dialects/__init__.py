"""What the project stream says, said again as others expect to hear it: beside the messages of our own, never instead.

A dialect turns a message into further topics and payloads. It sees only what the project's policy let become a message,
and what it gives goes through the spool, too, in the class that leaves last and is given up first.
"""

import importlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from streams.spool import Item

Message = Mapping[str, Any]

NAMES = ("deeplens", "deeplens-2017", "deeplens-hotdog", "deeplens-trash", "homeassistant", "aws-ml")
_MODULES = {"deeplens": "deeplens", "homeassistant": "homeassistant", "aws-ml": "aws_ml"}


class About(NamedTuple):
    """What is spoken about: the project that answers now. frames: whether pictures are published; version: ours."""

    thing: str
    project: str
    task: str
    labels: tuple[str, ...]
    sources: tuple[str, ...]
    frames: bool
    version: str


class Dialect(Protocol):
    """One way of saying it. For one thread at a time.

    topics: where its messages go, for people. listens: filters of messages upon which it introduces itself again.
    alternates: for topics that a broker may keep for itself, where their messages go if it does.
    """

    topics: tuple[str, ...]
    listens: tuple[str, ...]
    alternates: Mapping[str, str]

    def introduction(self, about: About) -> Iterable[Item]:
        """What is said at each connect, and when another project answers."""
        ...

    def said(self, message: Message) -> Iterable[Item]:
        """One message (`lensracer.infer/1`, as it went to the spool) in this dialect."""
        ...


def dialect(name: str, thing: str) -> Dialect:
    """The dialect of a name of NAMES. Raises ValueError for another one."""
    family, _, form = name.partition("-") if name.startswith("deeplens") else (name, "", "")
    if name not in NAMES:
        raise ValueError(f"there is no dialect {name!r}; there are {', '.join(NAMES)}")
    module: Any = importlib.import_module(f"streams.dialects.{_MODULES[family]}")
    made: Dialect = module.made(thing, form)
    return made


def score_of(row: Mapping[str, Any]) -> float:
    """How sure, 0 to 1, or of a segmentation how much of the picture."""
    value = row.get("score", row.get("area", 0.0))
    return float(value) if isinstance(value, int | float) else 0.0


def best_of(message: Message) -> dict[str, float]:
    """The labels of a message, the surest first, each with the score of its surest row."""
    found: dict[str, float] = {}
    rows = message.get("results")
    for row in rows if isinstance(rows, list) else []:
        label = str(row.get("label", row.get("label_id", "")))
        found[label] = max(score_of(row), found.get(label, 0.0))
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))
