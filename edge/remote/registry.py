"""The verbs of a device by name. What else a device can do (drive, say) is added as further handlers."""

import importlib

from edge.config.commands import ALL
from edge.remote.handler import Handler


def camera() -> dict[str, Handler]:
    """The handlers of the camera's verbs: each in the module of its name, as VERB and `answer`."""
    return {name: handler_of(name) for name in ALL}


def handler_of(name: str) -> Handler:
    module = importlib.import_module(f"edge.remote.{name}")
    return Handler(module.VERB, module.answer)
