"""MXNet's `-symbol.json` files, of every age, as a list of nodes.

A node's attributes stand under `param` (0.8 and older), `attr` (0.9 to 0.12) or `attrs` (1.0 and later); all are
texts: "(3, 3)", "[3,3]", "(8L, 3L)", "True", "1", "None". An input is [node, output] or [node, output, version].
Files of 0.8 and older leave the moving mean and variance of BatchNorm out of its inputs.
"""

import dataclasses
import json
import math
import re
from pathlib import Path
from typing import Any, NamedTuple

from inference.errors import ModelInvalid
from inference.formats.bounds import MOST_NODES, text_of

MOST_INPUTS = 10_000
MOST_NUMBERS = 4096
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?|inf|nan)L?f?", re.ASCII)
_NOTHING = ("None", "none", "")


class Port(NamedTuple):
    """An output of a node, both by number."""

    node: int
    output: int


@dataclasses.dataclass(frozen=True)
class Node:
    """One node: `op` is "null" for a variable. Attributes are read by kind; wrong ones raise ModelInvalid."""

    name: str
    op: str
    attributes: dict[str, str]
    inputs: tuple[Port, ...]

    @property
    def is_variable(self) -> bool:
        return self.op == "null"

    def text(self, key: str, default: str | None = None) -> str:
        value = self.attributes.get(key, default)
        if value is None:
            raise ModelInvalid(f"the node {self.name} ({self.op}) lacks its attribute {key}")
        return value

    def has(self, key: str) -> bool:
        return self.attributes.get(key, "None") not in _NOTHING

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.text(key, str(default))
        if value.lower() not in ("true", "false", "0", "1"):
            raise self.wrong(key, "True or False")
        return value.lower() in ("true", "1")

    def number(self, key: str, default: float | None = None) -> float:
        value = self.text(key, None if default is None else str(default)).strip()
        if not _NUMBER.fullmatch(value):
            raise self.wrong(key, "a number")
        return float(value.rstrip("Lf"))

    def whole(self, key: str, default: int | None = None) -> int:
        number = self.number(key, default)
        if not math.isfinite(number) or number != int(number) or abs(number) >= 2**31:
            raise self.wrong(key, "a whole number")
        return int(number)

    def wholes(self, key: str, default: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """The numbers of "(3, 3)"; a lone number is a tuple of one."""
        numbers = self.numbers(key, default)
        if any(not math.isfinite(n) or n != int(n) or abs(n) >= 2**31 for n in numbers):
            raise self.wrong(key, "whole numbers")
        return tuple(int(n) for n in numbers)

    def numbers(self, key: str, default: tuple[float, ...] | None = None) -> tuple[float, ...]:
        parts = self._parts(key, default)
        if not all(_NUMBER.fullmatch(part) for part in parts):
            raise self.wrong(key, "numbers in brackets")
        return tuple(float(part.rstrip("Lf")) for part in parts)

    def places(self, key: str) -> tuple[int | None, ...]:
        """Whole numbers, among which may stand None."""
        parts = self._parts(key, None)
        if not all(part == "None" or re.fullmatch(r"-?\d{1,9}L?", part, re.ASCII) for part in parts):
            raise self.wrong(key, "whole numbers or None")
        return tuple(None if part == "None" else int(part.rstrip("L")) for part in parts)

    def wrong(self, key: str, expected: str) -> ModelInvalid:
        value = self.attributes.get(key, "")
        return ModelInvalid(
            f"the node {self.name} ({self.op}) has {key}={value[:80]!r}; {expected} was expected"
        )

    def _parts(self, key: str, default: tuple[float, ...] | None) -> list[str]:
        if default is not None and not self.has(key):
            return [str(number) for number in default]
        inner = self.text(key).strip().strip("()[]")
        parts = [part.strip() for part in inner.split(",") if part.strip()]
        if len(parts) > MOST_NUMBERS:
            raise self.wrong(key, f"at most {MOST_NUMBERS} numbers")
        return parts


class Symbol(NamedTuple):
    """A network: nodes in an order in which each comes after its inputs, and the ports that are its outputs."""

    path: Path
    nodes: tuple[Node, ...]
    heads: tuple[Port, ...]


def read_symbol(path: Path) -> Symbol:
    """Raises ModelNotFound and ModelInvalid, naming the file and the node at fault."""
    content = _json(path)
    nodes = content.get("nodes") if isinstance(content, dict) else None
    if not isinstance(nodes, list) or not isinstance(content.get("heads"), list):
        raise ModelInvalid(f"{path} is no MXNet symbol: it lacks the lists nodes and heads")
    if len(nodes) > MOST_NODES:
        raise ModelInvalid(f"{path} has {len(nodes)} nodes; at most {MOST_NODES} are read")
    read = tuple(_node(path, index, node) for index, node in enumerate(nodes))
    heads = tuple(_port(path, "heads", head, len(read)) for head in content["heads"])
    if not heads:
        raise ModelInvalid(f"{path} has no heads, so there is nothing it would answer")
    return Symbol(path, read, heads)


def _json(path: Path) -> Any:
    try:
        return json.loads(text_of(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ModelInvalid(f"{path} is no JSON: {error}") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise ModelInvalid(f"{path} holds a number that cannot be: {error}") from None


def _node(path: Path, index: int, node: Any) -> Node:
    if not isinstance(node, dict) or not isinstance(node.get("op"), str):
        raise ModelInvalid(f"{path}: node {index} is not a mapping with an op")
    name = node.get("name", "")
    inputs = node.get("inputs", [])
    if not isinstance(name, str) or not isinstance(inputs, list) or len(inputs) > MOST_INPUTS:
        raise ModelInvalid(f"{path}: node {index} needs a text for its name and a list of inputs")
    what = f"node {index} ({node['op']} {name!r})"
    ports = tuple(_port(path, what, entry, index) for entry in inputs)
    return Node(name, node["op"], _attributes(path, what, node), ports)


def _attributes(path: Path, what: str, node: dict[str, Any]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for key in ("param", "attr", "attrs"):
        values = node.get(key) or {}
        if not isinstance(values, dict):
            raise ModelInvalid(f"{path}: {what} has {key} that is not a mapping")
        merged.update(
            {name: value if isinstance(value, str) else str(value) for name, value in values.items()}
        )
    return merged


def _port(path: Path, what: str, entry: Any, below: int) -> Port:
    numbers = entry if isinstance(entry, list) and len(entry) in (2, 3) else []
    if not numbers or not all(type(number) is int for number in numbers):
        raise ModelInvalid(f"{path}: {what} names the input {entry!r:.60}; [node, output] was expected")
    if not 0 <= numbers[0] < below or not 0 <= numbers[1] < MOST_INPUTS:
        raise ModelInvalid(f"{path}: {what} names the input {entry!r:.60}, which does not come before it")
    return Port(numbers[0], numbers[1])
