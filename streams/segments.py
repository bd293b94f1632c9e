"""The segments at the head of a JPEG: our comment in it, and the tables that a camera leaves out.

A JPEG begins with FF D8; segments follow, each FF, its kind, its length of two bytes and its content, until
the picture's data after FF DA. Nothing here touches the picture itself.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

START = b"\xff\xd8"

_COMMENT = 0xFE
_HUFFMAN = 0xC4
_SCAN = 0xDA
_APPLICATION = range(0xE0, 0xF0)
_LONE = frozenset({0x01, *range(0xD0, 0xD9)})
_LARGEST = 0xFFFF - 2


class Segment(NamedTuple):
    """kind: second byte of the marker. begin, end: where the segment lies in the file, marker included."""

    kind: int
    begin: int
    end: int


def segments(jpeg: bytes) -> Iterator[Segment]:
    """The segments up to that of the scan, which is the last one. Raises ValueError where this is no JPEG."""
    if jpeg[:2] != START:
        raise ValueError(
            f"a JPEG begins with ff d8, these {len(jpeg)} bytes with {jpeg[:2].hex(' ') or 'nothing'}"
        )
    begin = 2
    while begin + 4 <= len(jpeg) and jpeg[begin] == 0xFF:
        kind = jpeg[begin + 1]
        if kind == 0xFF:  # any number of these may stand before a marker
            begin += 1
            continue
        if kind in _LONE:
            begin += 2
            continue
        end = begin + 2 + int.from_bytes(jpeg[begin + 2 : begin + 4], "big")
        if end < begin + 4 or end > len(jpeg):
            break
        yield Segment(kind, begin, end)
        if kind == _SCAN:
            return
        begin = end
    raise ValueError(f"the JPEG of {len(jpeg)} bytes breaks off in its head")


def comment(fields: Mapping[str, Any]) -> bytes:
    """A comment segment that holds the fields as JSON. Raises ValueError where that is over 65,533 bytes."""
    text = json.dumps(fields, separators=(",", ":")).encode()
    if len(text) > _LARGEST:
        raise ValueError(f"a comment of {len(text)} bytes does not fit into a JPEG segment")
    return bytes((0xFF, _COMMENT)) + (len(text) + 2).to_bytes(2, "big") + text


def with_comment(jpeg: bytes, fields: Mapping[str, Any]) -> bytes:
    """The same JPEG with the fields in a comment segment, behind the application segments, which come first.

    Raises ValueError where this is no JPEG.
    """
    at = 2
    for segment in segments(jpeg):
        if segment.kind not in _APPLICATION:
            break
        at = segment.end
    return b"".join((jpeg[:at], comment(fields), jpeg[at:]))


def read_comment(jpeg: bytes) -> dict[str, Any]:
    """The fields of the first comment that is a JSON object, such as {"id": 7, "ts_ms": 123}; {} if none.

    Raises ValueError where this is no JPEG.
    """
    for segment in segments(jpeg):
        if segment.kind == _COMMENT:
            fields = _parsed(jpeg[segment.begin + 4 : segment.end])
            if fields is not None:
                return fields
    return {}


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def completed(jpeg: bytes) -> bytes:
    """A camera's JPEG with the standard Huffman tables where it has none, so that browsers read it too.

    Many webcams leave them out of MJPG. A complete JPEG comes back itself. Raises ValueError for no JPEG.
    """
    for segment in segments(jpeg):
        if segment.kind == _HUFFMAN:
            return jpeg
        if segment.kind == _SCAN:
            return b"".join((jpeg[: segment.begin], STANDARD_TABLES, jpeg[segment.begin :]))
    return jpeg


def _table(place: int, counts: str, values: bytes) -> bytes:
    """place: class << 4 | destination. counts: how many codes have 1, 2, ... 16 bits."""
    return bytes((place,)) + bytes.fromhex(counts) + values


# ITU-T T.81, annex K.3: the tables that decoders assume where a stream has none.
_DC_VALUES = bytes(range(12))
_AC_LUMINANCE = bytes.fromhex(
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a34353637"
    "38393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3"
    "a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
)
_AC_CHROMINANCE = bytes.fromhex(
    "0001020311040521310612415107617113223281081442"
    "91a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465"
    "666768696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6"
    "c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
)
_TABLES = (
    _table(0x00, "00010501010101010100000000000000", _DC_VALUES)
    + _table(0x10, "0002010303020403050504040000017d", _AC_LUMINANCE)
    + _table(0x01, "00030101010101010101010000000000", _DC_VALUES)
    + _table(0x11, "00020102040403040705040400010277", _AC_CHROMINANCE)
)
STANDARD_TABLES = bytes((0xFF, _HUFFMAN)) + (len(_TABLES) + 2).to_bytes(2, "big") + _TABLES
