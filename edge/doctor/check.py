"""One thing looked at, and whom it is looked at for."""

import dataclasses
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from edge.config import Config

State = Literal["ok", "warn", "fail"]


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """name: what was looked at. found: what was there. mend: what to do; only where it is not ok."""

    name: str
    state: State
    found: str
    mend: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Patient:
    """config: None where it cannot be read."""

    config: "Config | None" = None
