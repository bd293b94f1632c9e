"""Which setting is to blame: errors of the parts, placed at the file, line and key to look at."""

import re
import time

from edge import build
from edge.config import Config
from edge.errors import Fault
from edge.project import Project
from inference.errors import (
    BackendUnavailable,
    ManifestInvalid,
    ModelInvalid,
    ModelMismatch,
    ModelNotFound,
    NotAccepted,
)
from streams.errors import SourceInvalid, SourceNotFound, TopicInvalid
from streams.sinks.gate import SinkInvalid
from streams.transports import TransportInvalid

NAMED = re.compile(r"\b(transport|http|console|streams)\.([a-z_]+)\b")


def fault_of(error: Exception, config: Config, project: Project) -> Fault | None:
    """The Fault of an error that a setting caused; None for every other error."""
    message = str(error)
    match error:
        case ModelNotFound() | ModelInvalid() | NotAccepted():
            return project.fault(message, "model")
        case ModelMismatch() | ManifestInvalid():
            return project.fault(message, error.key or "model")
        case BackendUnavailable():
            key = "device" if "device" in message else "backend"
            return config.fault(message, "inference", key)
        case TransportInvalid() | SinkInvalid():
            named = NAMED.search(message)
            section = "transport" if isinstance(error, TransportInvalid) else "http"
            return config.fault(message, *(named.groups() if named else (section,)))
        case TopicInvalid():
            return config.fault(message, "sources" if message.startswith("sources") else "thing")
        case SourceInvalid() | SourceNotFound():
            return source_fault(message, config, project)
    return None


def source_fault(message: str, config: Config, project: Project) -> Fault:
    """The Fault of the source whose reader fails with these words; an error itself does not know its source."""
    for name, source in build.sources_of(config, project).items():
        try:
            build.reader_of(config, name, source, time.monotonic)
        except (SourceInvalid, SourceNotFound) as error:
            if str(error) == message:
                return at_source(message, name, config, project)
    return at_source(message, build.MAIN, config, project)


def at_source(message: str, name: str, config: Config, project: Project) -> Fault:
    """A Fault of one source by name: of its address, or of the project's clip where no source is named."""
    if name in config.sources:
        return config.fault(message, "sources", name, "uri")
    return project.fault(message, "clip")
