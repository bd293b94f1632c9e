"""What pydantic found wrong, in our words: the key, where it was written, what was expected, what came."""

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edge import redaction
from edge.config import keys
from edge.config.origin import Key, Origin, nearest
from edge.config.values import Kind
from edge.errors import Fault

LONGEST = 80  # characters of a value in a message
EXPECTED = {
    "string_type": "expected text",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "dict_type": "expected names with values below them",
    "model_type": "expected keys with values below them",
    "literal_error": "expected {expected}",
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than": "expected less than {lt}",
    "less_than_equal": "expected at most {le}",
    "string_too_short": "expected at least {min_length} character(s)",
    "string_too_long": "expected at most {max_length} characters",
    "finite_number": "expected a finite number",
    "is_instance_of": "expected a path",
    "path_type": "expected a path",
}


def faults_of(error: ValidationError, origins: Mapping[Key, Origin]) -> Iterator[Fault]:
    for details in error.errors(include_url=False):
        key = key_of(details)
        yield nearest(origins, key).fault(message(details, key), ".".join(key))


def key_of(details: ErrorDetails) -> Key:
    key = tuple(str(part) for part in details["loc"] if part != "[key]")
    blamed = (details.get("ctx") or {}).get("key")
    return (*key, blamed) if blamed else key


def message(details: ErrorDetails, key: Key) -> str:
    kind, context = details["type"], details.get("ctx") or {}
    if kind == "extra_forbidden":
        return unknown(key)
    if kind == "missing":
        return "is missing"
    if kind == "contradiction":
        return str(context["sentence"])
    if kind == "value_error":
        return redaction.hide(str(context["error"]))
    expected = EXPECTED.get(kind)
    said = expected.format_map(context) if expected else details["msg"]
    return f"{said}, got {shown(details['input'], key)}{hint(kind, details['input'])}"


def unknown(key: Key) -> str:
    meant = keys.suggestion(key)
    if meant:
        return f"is not a key; did you mean {meant}?"
    above = keys.find(key[:-1])
    names = ", ".join(sorted(above)) if isinstance(above, dict) else ""
    return f"is not a key; known are {names}" if names else "is not a key"


def shown(value: Any, key: Key) -> str:
    leaf = keys.find(key)
    if isinstance(leaf, keys.Leaf) and leaf.kind is Kind.SECRET:
        return redaction.HIDDEN
    if value is None:
        return "nothing"
    text = redaction.hide(repr(value) if isinstance(value, str | int | float | bool) else str(value))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def hint(kind: str, value: Any) -> str:
    """YAML reads some texts as something else."""
    if kind == "string_type" and isinstance(value, bool | int | float | datetime.date):
        return "; write it in quotes if it is meant as text"
    return ""
