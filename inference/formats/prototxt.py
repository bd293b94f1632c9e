"""Caffe's `.prototxt`: the text form of protocol buffers, read without a schema.

A message is a mapping from each field's name to the list of its values, in their order: texts for what stands in
quotes and for words (true, MAX), numbers as they are written, mappings for messages.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from inference.errors import ModelInvalid
from inference.formats.bounds import text_of

Message = dict[str, list[Any]]
MOST_VALUES = 200_000
_DEEPEST = 50
_TOKEN = re.compile(
    r"""(?P<space>[\s,;]+|\#[^\n]*)
      | (?P<mark>[{}<>:\[\]])
      | "(?P<double>(?:[^"\\\n]|\\.)*)" | '(?P<single>(?:[^'\\\n]|\\.)*)'
      | (?P<word>[-+]?[\w.][\w.+-]*)""",
    re.VERBOSE,
)
_CLOSING = {"{": "}", "<": ">"}


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def read_prototxt(path: Path) -> Message:
    """Raises ModelNotFound and ModelInvalid, naming the file and the line."""
    content = text_of(path)
    try:
        return _Parser(content).message("", 0)
    except _Fault as fault:
        line = content.count("\n", 0, fault.at) + 1
        raise ModelInvalid(f"{path}, line {line}: {fault}") from None


class _Fault(Exception):
    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


class _Parser:
    def __init__(self, content: str) -> None:
        self._tokens = _tokens(content)
        self._next: _Token | None = next(self._tokens, None)
        self._end = len(content)
        self._values = 0

    def message(self, closing: str, depth: int) -> Message:
        if depth > _DEEPEST:
            raise _Fault(f"messages are nested more than {_DEEPEST} deep", self._at())
        found: Message = {}
        while self._next is not None and self._next.text != closing:
            name = self._take("word", "the name of a field")
            found.setdefault(name, []).extend(self._field(name, depth))
        if closing:
            self._take("mark", f"{closing!r}")
        return found

    def _field(self, name: str, depth: int) -> list[Any]:
        self._values += 1
        if self._values > MOST_VALUES:
            raise _Fault(f"there are more than {MOST_VALUES} values", self._at())
        colon = self._skip(":")
        if self._skip("["):
            return self._list(depth)
        if self._next is not None and self._next.text in _CLOSING and self._next.kind == "mark":
            return [self.message(_CLOSING[self._take("mark", "")], depth + 1)]
        if not colon:
            raise _Fault(f"after {name} a colon or a bracket was expected", self._at())
        return [self._scalar()]

    def _list(self, depth: int) -> list[Any]:
        values: list[Any] = []
        while not self._skip("]"):
            self._values += 1
            opening = self._next is not None and self._next.kind == "mark" and self._next.text in _CLOSING
            values.append(
                self.message(_CLOSING[self._take("mark", "")], depth + 1) if opening else self._scalar()
            )
        return values

    def _scalar(self) -> str:
        if self._next is not None and self._next.kind == "text":
            return self._take("text", "a text")
        return self._take("word", "a value")

    def _skip(self, mark: str) -> bool:
        if self._next is None or self._next.kind != "mark" or self._next.text != mark:
            return False
        self._next = next(self._tokens, None)
        return True

    def _take(self, kind: str, what: str) -> str:
        token = self._next
        if token is None or token.kind != kind:
            found = "the end of the file" if token is None else repr(token.text[:40])
            raise _Fault(f"{what} was expected, {found} came", self._at())
        self._next = next(self._tokens, None)
        return token.text

    def _at(self) -> int:
        return self._end if self._next is None else self._next.at


def _tokens(content: str) -> Iterator[_Token]:
    at = 0
    while at < len(content):
        match = _TOKEN.match(content, at)
        if match is None:
            raise _Fault(f"{content[at : at + 20]!r} is not understood", at)
        kind = str(match.lastgroup)
        if kind in ("double", "single"):
            yield _Token("text", match[kind], at)
        elif kind != "space":
            yield _Token(kind, match[kind], at)
        at = match.end()
