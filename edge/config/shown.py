"""The configuration as it may be shown: every effective value, where it came from, nothing secret."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict

from pydantic import BaseModel

from edge import redaction
from edge.config import keys
from edge.config.config import Config
from edge.config.origin import DEFAULT, Key
from edge.config.values import Kind


class Row(TypedDict):
    """One key with its effective value and its origin."""

    key: str
    value: Any
    origin: str


def shown(config: Config) -> list[Row]:
    """A row for each key that has a value of its own, in the order of the schema."""
    return [row(config, key, value) for key, value in values(config)]


def values(here: Any, above: Key = ()) -> Iterator[tuple[Key, Any]]:
    if isinstance(here, BaseModel):
        for name in type(here).model_fields:
            yield from values(getattr(here, name), (*above, name))
    elif isinstance(here, Mapping) and here:
        for name, value in here.items():
            yield from values(value, (*above, name))
    else:
        yield above, here


def row(config: Config, key: Key, value: Any) -> Row:
    origin = config.origin(key)
    leaf = keys.find(key)
    if value is None:
        visible: Any = None
    elif origin.secret:
        visible = f"secret:{origin.secret}"
    elif isinstance(leaf, keys.Leaf) and leaf.kind is Kind.SECRET:
        visible = redaction.HIDDEN
    else:
        visible = plain(value)
    return Row(key=".".join(key), value=visible, origin=str(origin if origin else DEFAULT))


def plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return redaction.hide(str(value)) if isinstance(value, str | Path) else value
