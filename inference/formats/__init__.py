"""Model files of every kind: which kind a path is, which files belong to it, and how each is read.

Importing this package costs no vendor library: every name is fetched when it is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inference.formats.kinds import KINDS, files_of, kind_of

_HOMES = {"KINDS": "kinds", "files_of": "kinds", "kind_of": "kinds"}

__all__ = ["KINDS", "files_of", "kind_of"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"inference.formats.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
