"""Errors of the program itself, each ours and a builtin at once.

EdgeError(Exception)
├── ConfigInvalid   (ValueError)         a setting: names file, line, key and value
├── ProjectMissing  (FileNotFoundError)  no such project folder or name
├── AlreadyThere    (FileExistsError)    something would be written where something is
├── RunFailed       (RuntimeError)       the run ended otherwise than asked
├── RecordingRefused (ValueError)        a recording that cannot begin
└── Clash           (RuntimeError)       another process or port is in the way
"""

import dataclasses
from pathlib import Path


class EdgeError(Exception):
    """Anything that goes wrong in the program around the four parts."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a setting. `where` is a file, `environment` or `command line`; `line` counts from 1."""

    message: str
    key: str = ""
    where: str | Path = ""
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.where}:{self.line}" if self.line else str(self.where)
        return ": ".join(part for part in (place, self.key, self.message) if part)


class ConfigInvalid(EdgeError, ValueError):
    """One or more settings are wrong. The text has a line for each fault."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class ProjectMissing(EdgeError, FileNotFoundError):
    """No such project folder or bundled name."""


class AlreadyThere(EdgeError, FileExistsError):
    """Something would be written where something is."""


class RunFailed(EdgeError, RuntimeError):
    """The run ended otherwise than asked."""


class RecordingRefused(EdgeError, ValueError):
    """A recording cannot begin, or none is under way."""


class Clash(EdgeError, RuntimeError):
    """Another process or port is in the way."""
