"""Faults from errors whose sentences already begin with their key."""

from pathlib import Path

from edge.errors import Fault


def fault_at(where: str | Path, line: int | None, key: str, message: str) -> Fault:
    """A Fault that says its key once, also where the message begins with it: `labels must be ...`."""
    rest = message.removeprefix(key)
    if key and rest != message and rest[:1] in (" ", ":"):
        message = rest.lstrip(": ")
    return Fault(message, key, where, line)
