"""Lengths of time as people write them: `1s`, `500ms`, `2m`, `1h`, or plain seconds."""

import math
import re

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
WRITTEN = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(ms|s|m|h)?", re.ASCII)
EXPECTED = "a length of time such as 500ms, 1s, 2m, or plain seconds"


def seconds(value: object) -> float:
    """Seconds as a float, never negative. Raises ValueError with a sentence that says what was expected."""
    if isinstance(value, str):
        found = WRITTEN.fullmatch(value.strip())
        if found is None:
            raise ValueError(f"expected {EXPECTED}, got {value!r}")
        return float(found[1]) * UNITS[found[2] or "s"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected {EXPECTED}, got {value!r}")
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"expected {EXPECTED}, and not below zero; got {value!r}")
    return float(value)
