"""The whole configuration, and where each of its values came from."""

import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, PrivateAttr

from edge.config.commands import Commands
from edge.config.console import Console
from edge.config.http import Http
from edge.config.inference import Inference
from edge.config.log import Log
from edge.config.origin import DEFAULT, Key, Origin, nearest
from edge.config.privacy import Privacy
from edge.config.section import Section
from edge.config.source import Source
from edge.config.spool import Spool
from edge.config.streams import Streams
from edge.config.swap import Swap
from edge.config.transport import Transport
from edge.config.values import ProjectName
from edge.errors import Fault

LONGEST_THING = 128  # AWS IoT's limit
FOREIGN = re.compile(r"[^a-zA-Z0-9:_-]+")
MOST_SOURCES = 64  # each has threads of its own, and its pictures in memory
SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def default_thing() -> str:
    """The first part of this machine's host name, with what AWS IoT does not allow in a name made hyphens."""
    name = FOREIGN.sub("-", platform.node().partition(".")[0]).strip("-")
    return name[:LONGEST_THING] or "thing"


def is_thing(value: str) -> str:
    if not value or FOREIGN.search(value) or len(value) > LONGEST_THING:
        raise ValueError(f"expected 1 to {LONGEST_THING} letters, digits, ':', '_' or '-', got {value!r}")
    return value


def is_source_name(value: str) -> str:
    if not SOURCE_NAME.fullmatch(value):
        raise ValueError(f"a source's name has lower-case letters, digits, '_' and '-'; got {value!r}")
    return value


def are_few(value: dict[str, Source]) -> dict[str, Source]:
    if len(value) > MOST_SOURCES:
        raise ValueError(f"expected at most {MOST_SOURCES} sources, got {len(value)}")
    return value


class Config(Section):
    """Configuration of a device: what it is called, what it sees, what it runs, where its messages go."""

    thing: Annotated[str, AfterValidator(is_thing)] = Field(
        default_factory=default_thing,
        description="Name of this device in topics and messages; at AWS the name of the IoT thing. "
        "Without it: the host name.",
        examples=["cam-1"],
    )
    project: ProjectName | None = Field(
        default=None,
        description="What to run: a project's folder (relative to this file), or the name of a bundled or "
        "installed project.",
        examples=["trash-sorter", "./my-project"],
    )
    sources: Annotated[
        dict[Annotated[str, AfterValidator(is_source_name)], Source], AfterValidator(are_few)
    ] = Field(
        default_factory=dict,
        description="Where frames come from, by name. `source: X` is short for one named main.",
    )
    inference: Inference = Field(default_factory=Inference, description="How models are run.")
    transport: Transport = Field(default_factory=Transport, description="How messages leave.")
    streams: Streams = Field(default_factory=Streams, description="What is published.")
    privacy: Privacy = Field(
        default=(), description="Zones of the pictures that are made unrecognisable before anything leaves."
    )
    swap: Swap = Field(default_factory=Swap, description="What a new project must show.")
    commands: Commands = Field(default_factory=Commands, description="What may be asked of this device.")
    spool: Spool = Field(default_factory=Spool, description="Where messages wait.")
    http: Http = Field(default_factory=Http, description="Pictures over HTTP.")
    console: Console = Field(default_factory=Console, description="The page to look at.")
    log: Log = Field(default_factory=Log, description="What is told.")

    _origins: Mapping[Key, Origin] = PrivateAttr(default_factory=dict)
    _file: Path | None = PrivateAttr(default=None)

    @property
    def file(self) -> Path | None:
        """The configuration file that was read, if any."""
        return self._file

    def origin(self, key: Key) -> Origin:
        """Where the value of a key came from; `DEFAULT` if nobody gave one."""
        return self._origins.get(key, DEFAULT)

    def fault(self, message: str, *key: str) -> Fault:
        """A Fault of one key (its parts), placed where its value, or the section around it, was written."""
        return nearest(self._origins, key).fault(message, ".".join(key))
