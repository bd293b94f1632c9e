"""YAML files with the line of every key, read by the safe loader; what cannot be read is a placed Fault."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from edge.errors import ConfigInvalid, Fault
from edge.faults import fault_at

LARGEST = 1 << 20  # bytes: nobody writes more by hand
MOST_VALUES = 20_000  # with every alias written out, so that a small file cannot become an endless one
DEEPEST = 40
TEXT_TAG = "tag:yaml.org,2002:str"
NOTHING_TAG = "tag:yaml.org,2002:null"
MERGE_TAG = "tag:yaml.org,2002:merge"
A_KEY = re.compile(r"[A-Za-z_][\w.-]{0,63}")  # what stands at the left edge of a settings file
QUOTED = re.compile(r" '[^'<][^']+'")  # a word of the file, as PyYAML quotes it
KINDS = {"str": "text", "int": "a number", "float": "a number", "timestamp": "a date"}
TAB = r"found character '\t' that cannot start any token"  # how PyYAML says it


@dataclasses.dataclass(frozen=True)
class Document:
    """One file: its values, and the line (from 1) of each dotted key; a list has `labels.0` and so on."""

    path: Path
    values: Mapping[str, Any]
    lines: Mapping[str, int]

    def line(self, key: str) -> int | None:
        """The line of a dotted key, or of the nearest key above it that is written in the file."""
        return line_of(self.lines, key)

    def fault(self, key: str, message: str) -> Fault:
        return fault_at(self.path, self.line(key), key, message)


def line_of(lines: Mapping[str, int], key: str) -> int | None:
    """The line of `key`, or of the nearest key above it; None if not even its first part is written."""
    while key:
        if key in lines:
            return lines[key]
        key = key.rpartition(".")[0]
    return None


def load(path: Path) -> Document:
    """Read a file whose whole is a mapping (an empty file is an empty one). Raises ConfigInvalid."""
    text = read(path)
    try:
        return parse(text, path)
    except ConfigInvalid:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise refused(path, describe(error), mark.line + 1 if mark else None) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise refused(path, f"is not readable as YAML ({type(error).__name__})") from None


def refused(path: Path, message: str, line: int | None = None) -> ConfigInvalid:
    return ConfigInvalid(Fault(message, "", path, line))


def describe(error: yaml.MarkedYAMLError) -> str:
    """PyYAML's words without its excerpts of the file, which may show a password."""
    if error.problem == TAB:
        return "is not readable as YAML: there is a tab; YAML is indented with spaces"
    parts = [part for part in (error.context, error.problem) if part]
    return "is not readable as YAML: " + QUOTED.sub("", ", ".join(parts))


def read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise refused(path, f"is larger than {LARGEST} bytes, so it is hardly a settings file")
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise refused(path, "does not exist") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise refused(path, f"is not text in UTF-8 (byte {error.start})", line) from None
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror}") from None


def parse(text: str, path: Path) -> Document:
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None or root.tag == NOTHING_TAG:
            return Document(path, {}, {})
        if not isinstance(root, MappingNode):
            raise refused(path, f"should hold keys and values, not {named(root)}", root.start_mark.line + 1)
        check_names(root, path)
        lines = dict(Walk(path).lines(root))
        return Document(path, loader.construct_document(root), lines)
    finally:
        loader.dispose()


def check_names(root: MappingNode, path: Path) -> None:
    """Raises ConfigInvalid for a line at the left edge that no settings file has: its words are not repeated."""
    for key, _ in root.value:
        if isinstance(key, ScalarNode) and key.tag == TEXT_TAG and not A_KEY.fullmatch(key.value):
            message = "expected a key with a value; what stands here is no key of a settings file"
            raise refused(path, message, key.start_mark.line + 1)


class Walk:
    """Goes through the nodes of one document, before any value is made of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = 0

    def lines(self, node: Node, above: str = "", depth: int = 0) -> Iterator[tuple[str, int]]:
        """(dotted key, line) of everything below `node`. Raises ConfigInvalid for keys that can't be ours."""
        self._seen += 1
        if self._seen > MOST_VALUES or depth > DEEPEST:
            raise refused(self._path, "is nested or aliased beyond reason", node.start_mark.line + 1)
        if isinstance(node, MappingNode):
            for key, value in self.entries(node, above):
                yield above + key.value, key.start_mark.line + 1
                yield from self.lines(value, f"{above}{key.value}.", depth + 1)
        elif isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                yield f"{above}{index}", item.start_mark.line + 1
                yield from self.lines(item, f"{above}{index}.", depth + 1)

    def entries(self, node: MappingNode, above: str) -> Iterator[tuple[ScalarNode, Node]]:
        """(key, value) nodes: the mapping's own, then those that `<<` brings in beneath them."""
        first: dict[str, int] = {}
        merged: list[Node] = []
        for key, value in node.value:
            self._seen += 1
            if isinstance(key, ScalarNode) and key.tag == MERGE_TAG:
                merged += value.value if isinstance(value, SequenceNode) else [value]
                continue
            self._check_key(key, above, first)
            first[key.value] = key.start_mark.line + 1
            yield key, value
        for source in merged:
            if isinstance(source, MappingNode) and self._seen <= MOST_VALUES:
                yield from (entry for entry in self.entries(source, above) if entry[0].value not in first)

    def _check_key(self, key: Node, above: str, first: Mapping[str, int]) -> None:
        line = key.start_mark.line + 1
        if not isinstance(key, ScalarNode) or key.tag != TEXT_TAG:
            message = f"keys are text; {named(key)} as a key belongs in quotes"
            raise ConfigInvalid(Fault(message, above.rstrip("."), self._path, line))
        if key.value in first:
            message = f"stands here a second time, first in line {first[key.value]}"
            raise ConfigInvalid(Fault(message, above + key.value, self._path, line))


def named(node: Node) -> str:
    """What a node is, without what it says: the file may be one of secrets that was named by mistake."""
    if isinstance(node, SequenceNode):
        return "a list"
    if isinstance(node, MappingNode):
        return "a mapping"
    kind = node.tag.rpartition(":")[2]
    if kind in ("bool", "null"):
        return f"{kind} {node.value!r}"
    return KINDS.get(kind, "a value of a foreign kind")


def scalar(text: str) -> Any:
    """What a value on the command line or in the environment means: one YAML scalar, or a list or mapping in
    flow style (`[1, 2]`). Raises ValueError with a sentence."""
    try:
        return parse_scalar(text)
    except yaml.MarkedYAMLError as error:
        raise ValueError(f"the value {describe(error)}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"the value is not readable as YAML ({type(error).__name__})") from None


def parse_scalar(text: str) -> Any:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        dict(Walk(Path("value")).lines(node))
        return loader.construct_document(node)
    finally:
        loader.dispose()
