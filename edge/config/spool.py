"""Where messages wait: `spool`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from edge.config.section import Section
from edge.config.values import Age, FilePath

MIB = 1 << 20
WEEK = 7 * 24 * 3600.0  # seconds


def state_home(environ: Mapping[str, str]) -> Path:
    """Where this user's programs keep their state."""
    if given := environ.get("XDG_STATE_HOME"):
        return Path(given)
    return Path(environ.get("HOME") or Path.home()) / ".local" / "state"


class Spool(Section):
    """Where messages wait until they are acknowledged, and where the numbers of messages are kept."""

    path: FilePath | None = Field(
        default=None,
        description="Folder of this thing's state. Without it: $XDG_STATE_HOME/lensracer/<thing> "
        "(~/.local/state/lensracer/<thing>).",
    )
    max_bytes: int = Field(
        default=64 * MIB,
        ge=64 * 1024,
        description="What waiting messages may take, in bytes; beyond it the oldest are dropped and counted.",
        examples=[64 * MIB],
    )

    max_age: Age = Field(
        default=WEEK,
        description="How long a message may wait; older ones are given up and their numbers told. `forever` keeps "
        "them until `max_bytes` is reached.",
        examples=["168h", "forever"],
    )
    sync_ms: int = Field(
        default=1000,
        ge=0,
        le=600_000,
        description="Milliseconds between two synchronisations of the disk: what a power cut may cost. A process "
        "that is killed loses nothing in any case. 0 synchronises with each message, which wears an SD card.",
    )

    replay: Literal["mixed", "ordered"] = Field(
        default="mixed",
        description="What live messages do while those that waited for the broker are sent, where the transport's "
        "budget sets a rate: `mixed`, they go at once and `seq` tells the order; `ordered`, they wait for their turn.",
        examples=["mixed", "ordered"],
    )

    def folder(self, thing: str) -> Path:
        """`path`, or where the state of a thing of this name lies without it."""
        return self.path or state_home(os.environ) / "lensracer" / thing
