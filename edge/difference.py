"""Where two plain values, as JSON holds them, first differ."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

ABSENT = "(absent)"


class Difference(NamedTuple):
    """field: dotted, with places of lists in brackets. recorded, replayed: what stands there on either side."""

    field: str
    recorded: Any
    replayed: Any


def difference(recorded: Any, replayed: Any, field: str = "", tolerance: float = 0.0) -> Difference | None:
    """The first one, in the order of the recorded value; None if there is none.

    tolerance: numbers that are no whole ones may differ by so much.
    """
    if isinstance(recorded, Mapping) and isinstance(replayed, Mapping):
        keys = [*recorded, *(key for key in replayed if key not in recorded)]
        pairs = [
            (f"{field}.{key}".lstrip("."), recorded.get(key, ABSENT), replayed.get(key, ABSENT))
            for key in keys
        ]
    elif is_list(recorded) and is_list(replayed):
        if len(recorded) != len(replayed):
            return Difference(f"{field} (how many)", len(recorded), len(replayed))
        pairs = [
            (f"{field}[{place}]", *pair) for place, pair in enumerate(zip(recorded, replayed, strict=True))
        ]
    else:
        return None if alike(recorded, replayed, tolerance) else Difference(field, recorded, replayed)
    found = (difference(left, right, name, tolerance) for name, left, right in pairs)
    return next((each for each in found if each is not None), None)


def is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def alike(left: Any, right: Any, tolerance: float) -> bool:
    """Whether two single values are the same; 1, 1.0 and True are three different ones."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float) and left != right:
        return (math.isnan(left) and math.isnan(right)) or abs(left - right) <= tolerance
    return bool(left == right)
