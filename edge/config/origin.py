"""Where a value was written."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.errors import Fault
from edge.faults import fault_at

Key = tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """where: a file, or words such as `environment variable EDGE_THING`, `--set`. line: in the file, from 1.
    key: the dotted key as it was written there, where that is another (`source` for `sources.main.uri`).
    secret: NAME, where the value was `secret:NAME`."""

    where: str | Path
    line: int | None = None
    key: str = ""
    secret: str | None = None

    @property
    def folder(self) -> Path:
        """What relative paths of this origin start at: the file's folder, else the working directory."""
        return self.where.parent if isinstance(self.where, Path) else Path.cwd()

    def fault(self, message: str, key: str) -> Fault:
        said = fault_at(self.where, self.line, key, message)
        return dataclasses.replace(said, key=self.key or key)

    def __str__(self) -> str:
        return f"{self.where}:{self.line}" if self.line else str(self.where)


DEFAULT = Origin("default")
NOWHERE = Origin("")


@dataclasses.dataclass(frozen=True, slots=True)
class Given:
    """A value of the command line. where: the option it came by. raw: it is text still to be understood."""

    value: Any
    where: str = "--set"
    raw: bool = False


def nearest(origins: Mapping[Key, Origin], key: Key) -> Origin:
    """The origin of a key; else of the first below it, as for an unknown section; else of what is above.

    Another key's name for itself is left out.
    """
    if key in origins:
        return origins[key]
    below = (found for found in origins if found[: len(key)] == key)
    above = (key[:length] for length in range(len(key) - 1, 0, -1) if key[:length] in origins)
    for found in (*below, *above):
        return dataclasses.replace(origins[found], key="", secret=None)
    return NOWHERE
