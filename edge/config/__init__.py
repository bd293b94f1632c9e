"""The device's configuration: one schema for the file, the environment and the command line.

    load(path, environ, overrides) -> Config    everything checked, or ConfigInvalid with a Fault a mistake
    schema() -> dict                            the JSON Schema of the file

Precedence: command line > environment > file > default.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.config.config import Config as Config
    from edge.config.console import Console as Console
    from edge.config.http import Http as Http
    from edge.config.inference import Inference as Inference
    from edge.config.load import load as load
    from edge.config.load import load_deployed as load_deployed
    from edge.config.log import Log as Log
    from edge.config.origin import Given as Given
    from edge.config.origin import Origin as Origin
    from edge.config.overrides import overrides as overrides
    from edge.config.schema import schema as schema
    from edge.config.shown import shown as shown
    from edge.config.source import Source as Source
    from edge.config.spool import Spool as Spool
    from edge.config.streams import Streams as Streams
    from edge.config.transport import Transport as Transport

_HOMES = {
    "Config": "config",
    "Console": "console",
    "Given": "origin",
    "Http": "http",
    "Inference": "inference",
    "Log": "log",
    "Origin": "origin",
    "Source": "source",
    "Spool": "spool",
    "Streams": "streams",
    "Transport": "transport",
    "load": "load",
    "load_deployed": "load",
    "overrides": "overrides",
    "schema": "schema",
    "shown": "shown",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"edge.config.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
