"""Tar archives, read forward in small pieces: nothing that a header claims is believed before it is read.

Source: the POSIX ustar format and its pax records (`path`, `size`); GNU's long names (type L).
"""

from collections.abc import Callable, Iterator
from typing import Protocol

_BLOCK = 512
_PIECE = 1 << 16
_LONGEST_RECORDS = 1 << 16
_KINDS = {"0": "file", "\0": "file", "7": "file", "5": "folder", "1": "hard link", "2": "symbolic link"}
_KINDS |= {"3": "device", "4": "device", "6": "pipe"}
Blocks = Callable[[], Iterator[bytes]]


class TapeFault(Exception):
    """The archive is damaged, or holds what no archive of a model holds."""


class Source(Protocol):
    """What is read from."""

    def read(self, size: int, /) -> bytes: ...


def tape_entries(source: Source) -> Iterator[tuple[str, str, Blocks]]:
    """Name, kind (file, folder, or what else it is) and content of each member, in order.

    A member's content is to be read before the next member, or not at all. Raises TapeFault.
    """
    name: str | None = None
    size: int | None = None
    while (header := _header(source)) is not None:
        kind = chr(header[156])
        length = _number(header[124:136])
        if kind in "xgL":
            records = _content(source, length)
            if kind == "L":
                name = _text(records)
            elif kind == "x":
                name, size = _pax(records, name, size)
            continue
        length = length if size is None else size
        member = _Member(source, length)
        yield name or _name(header), _KINDS.get(kind, f"member of the kind {kind!r}"), member.blocks
        member.skip()
        name = size = None


class _Member:
    def __init__(self, source: Source, length: int) -> None:
        self._source = source
        self._left = length
        self._padding = -length % _BLOCK

    def blocks(self) -> Iterator[bytes]:
        while self._left:
            block = _exactly(self._source, min(_PIECE, self._left))
            self._left -= len(block)
            yield block

    def skip(self) -> None:
        for _ in self.blocks():
            pass
        _exactly(self._source, self._padding)


def _header(source: Source) -> bytes | None:
    """The next header; None at the end of the archive."""
    block = source.read(_BLOCK)
    if not block or block == bytes(_BLOCK):
        return None
    if len(block) < _BLOCK:
        raise TapeFault("it ends within a header")
    checked = sum(block[:148]) + sum(block[156:]) + 8 * ord(" ")
    if _number(block[148:156]) != checked:
        raise TapeFault("the checksum of a header is wrong")
    return block


def _name(header: bytes) -> str:
    name, prefix = _text(header[:100]), _text(header[345:500])
    return f"{prefix}/{name}" if prefix and header[257:263] == b"ustar\0" else name


def _text(field: bytes) -> str:
    try:
        return field.split(b"\0", 1)[0].decode()
    except UnicodeDecodeError:
        raise TapeFault("a name in it is not UTF-8") from None


def _number(field: bytes) -> int:
    """Octal digits, or GNU's binary form for large sizes."""
    if field[0] == 0x80:
        number = int.from_bytes(field[1:], "big")
        if number >= 1 << 62:
            raise TapeFault("a member claims a size that cannot be")
        return number
    digits = field.strip(b" \0")
    if not all(digit in b"01234567" for digit in digits):
        raise TapeFault("a header holds no number where one must be")
    return int(digits or b"0", 8)


def _content(source: Source, length: int) -> bytes:
    if length > _LONGEST_RECORDS:
        raise TapeFault(f"a header goes on for {length} bytes; at most {_LONGEST_RECORDS} are read")
    content = _exactly(source, length)
    _exactly(source, -length % _BLOCK)
    return content


def _pax(records: bytes, name: str | None, size: int | None) -> tuple[str | None, int | None]:
    """What the records "LENGTH KEY=VALUE\\n" say of the next member."""
    while records:
        digits = records.split(b" ", 1)[0]
        if not digits.isdigit() or len(digits) > 6 or not len(digits) < int(digits) <= len(records):
            raise TapeFault("a record of a header is damaged")
        key, _, value = records[len(digits) + 1 : int(digits) - 1].partition(b"=")
        if key == b"path":
            name = _text(value)
        elif key == b"size":
            if not value.isdigit() or len(value) > 18:
                raise TapeFault("a member claims a size that cannot be")
            size = int(value)
        elif key.startswith(b"GNU.sparse"):
            raise TapeFault("it holds a file with gaps")
        records = records[int(digits) :]
    return name, size


def _exactly(source: Source, size: int) -> bytes:
    block = b""
    while len(block) < size:
        more = source.read(size - len(block))
        if not more:
            raise TapeFault("it is truncated")
        block += more
    return block
