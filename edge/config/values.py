"""Kinds of values in the configuration: how each is written, checked, and described in the JSON Schema."""

import enum
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from edge import durations

FOREVER = "forever"
WRITTEN_SIZE = re.compile(r"(\d+)x(\d+)", re.ASCII)
LARGEST_SIDE = 16_384  # pixels
DURATION_SCHEMA = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^[0-9.]+\s*(ms|s|m|h)?$"}]
}


class Kind(enum.Enum):
    """What a text means, beyond being text. It says what happens to it before it is checked."""

    PATH = "path"  # relative to the file it is written in
    ADDRESS = "address"  # of a source: likewise where it is a path; its password is remembered for redaction
    PROJECT = "project"  # a folder, likewise, or a name
    SECRET = "secret"  # never shown


def text_as_path(value: object) -> object:
    if isinstance(value, str):
        if not value:
            raise ValueError("expected a path")
        return Path(value).expanduser()
    return value


def patience(value: object) -> float | None:
    """Seconds, or None for ever."""
    if value is None or value == FOREVER:
        return None
    return durations.seconds(value)


def age(value: object) -> float | None:
    """Seconds, more than none; None for ever."""
    seconds = patience(value)
    if seconds is not None and seconds <= 0:
        raise ValueError(f"expected more than 0 seconds, or {FOREVER}, got {value!r}")
    return seconds


def size(value: object) -> object:
    """(width, height) from `[1280, 720]` or `1280x720`; None stays None."""
    if isinstance(value, str) and (found := WRITTEN_SIZE.fullmatch(value)):
        value = [int(found[1]), int(found[2])]
    if value is None or (isinstance(value, list | tuple) and len(value) == 2 and all(map(is_side, value))):
        return value if value is None else tuple(value)
    raise ValueError(f"expected [width, height] in pixels, each from 1 to {LARGEST_SIDE}, got {value!r}")


def is_side(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST_SIDE


def as_text(value: object) -> object:
    """`5` and `5.0` are versions here, not numbers."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


FilePath = Annotated[Path, Kind.PATH, BeforeValidator(text_as_path), WithJsonSchema({"type": "string"})]
Address = Annotated[str, Kind.ADDRESS, Field(min_length=1)]
ProjectName = Annotated[str, Kind.PROJECT, Field(min_length=1)]
SecretText = Annotated[str, Kind.SECRET, Field(min_length=1)]
Patience = Annotated[
    float | None,
    BeforeValidator(patience),
    WithJsonSchema({"anyOf": [*DURATION_SCHEMA["anyOf"], {"const": FOREVER}, {"type": "null"}]}),
]
Age = Annotated[
    float | None,
    BeforeValidator(age),
    WithJsonSchema({"anyOf": [*DURATION_SCHEMA["anyOf"], {"const": FOREVER}, {"type": "null"}]}),
]
Duration = Annotated[float, BeforeValidator(durations.seconds), WithJsonSchema(DURATION_SCHEMA)]
SIZE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 2, "maxItems": 2},
        {"type": "string", "pattern": WRITTEN_SIZE.pattern.join("^$")},
        {"type": "null"},
    ]
}
Size = Annotated[tuple[int, int] | None, BeforeValidator(size), WithJsonSchema(SIZE_SCHEMA)]
