"""The models that can be fetched by name: where they lie, what they must be, and how each is fed and read."""

import difflib
import functools
import json
from pathlib import Path
from typing import Any, NamedTuple

from inference.errors import AddressRefused

_HERE = Path(__file__).parent


class Entry(NamedTuple):
    """One model. sha256: of its file, whose length is `size` bytes. labels: class names by number.

    input, output: the keys of those sections of a project file (see inference.manifest).
    """

    name: str
    title: str
    task: str
    uri: str
    sha256: str
    size: int
    licence: str
    origin: str
    labels: tuple[str, ...]
    input: dict[str, Any]
    output: dict[str, Any]

    @property
    def file(self) -> str:
        """The name of the model's file."""
        return self.uri.rpartition("/")[2]


@functools.cache
def entries() -> tuple[Entry, ...]:
    """All models, in the order in which they are shown."""
    read = _json("catalogue.json")
    labels = _json("catalogue_labels.json")
    return tuple(_entry(row, read["address"], read["origin"], labels) for row in read["models"])


def entry(name: str) -> Entry:
    """The model of a name. Raises AddressRefused with the names that there are."""
    by_name = {found.name: found for found in entries()}
    if name not in by_name:
        close = difflib.get_close_matches(name, by_name, n=1)
        more = f"did you mean {close[0]}?" if close else f"it has {', '.join(by_name)}"
        raise AddressRefused(f"the catalogue has no model {name!r}; {more}")
    return by_name[name]


def _entry(row: dict[str, Any], address: str, origin: str, labels: dict[str, list[str]]) -> Entry:
    return Entry(
        name=row["name"],
        title=row["title"],
        task=row["task"],
        uri=address + row["path"],
        sha256=row["sha256"],
        size=row["bytes"],
        licence=row["licence"],
        origin=origin,
        labels=tuple(labels[row["labels"]]),
        input=row.get("input", {}),
        output=row.get("output", {}),
    )


def _json(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_HERE / name).read_text(encoding="utf-8"))
    return found
