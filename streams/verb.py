"""What a command may be told: a verb, the fields that it takes, and what each of them must hold."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Field = Callable[
    [Any], Any
]  # gives the value as the verb wants it, or raises ValueError: "expected …, got …"


class Verb(NamedTuple):
    """One verb, for whoever hears it on the wire.

    fields: by name, beside `id`, `issued_at`, `expires_at` and `schema`, which every verb has. required: those of
    them that must be there. identified: it wants an id, holds until it expires, and is answered; else none of it.
    immediate: it is handed over on the transport's own thread, never waits behind another, and is never too often.
    anything: whatever the payload holds, and be it nothing, it is the command (for a stop, which must not fail for
    a comma).
    """

    name: str
    fields: Mapping[str, Field] = {}
    required: frozenset[str] = frozenset()
    identified: bool = True
    immediate: bool = False
    anything: bool = False


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, got {shown(value)}")
    return value


def text(most: int) -> Field:
    """A text of 1 to `most` characters."""

    def checked(value: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= most:
            raise ValueError(f"expected a text of 1 to {most} characters, got {shown(value)}")
        return value

    return checked


def number(low: float, high: float) -> Field:
    """A number from `low` to `high`, both included, as float."""

    def checked(value: Any) -> float:
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        if not plain or not math.isfinite(value) or not low <= value <= high:
            raise ValueError(f"expected a number from {low:g} to {high:g}, got {shown(value)}")
        return float(value)

    return checked


def count(low: int, high: int) -> Field:
    """A whole number from `low` to `high`, both included."""

    def checked(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"expected a whole number from {low} to {high}, got {shown(value)}")
        return value

    return checked


def mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, got {shown(value)}")
    return value


def anything(value: Any) -> Any:
    """What the verb itself looks at."""
    return value


def shown(value: Any) -> str:
    """A value for a sentence: cut short, since strangers send it."""
    told = repr(value)
    return told if len(told) <= 60 else f"{told[:57]}..."
