"""Protocol buffers as they stand in a file: fields by number, without a schema and without copies.

Source: the encoding guide of Protocol Buffers (wire types 0, 1, 2 and 5; groups are refused).
"""

from collections.abc import Iterator
from typing import NamedTuple

from inference.errors import ModelInvalid

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10


class Field(NamedTuple):
    """One field: `number` 1..2**29-1, `kind` one of VARINT, FIXED64, BYTES, FIXED32.

    value: of a VARINT, 0..2**64-1; else 0. content: the bytes of any other kind, a view of the message.
    """

    number: int
    kind: int
    value: int
    content: memoryview


def fields(message: memoryview) -> Iterator[Field]:
    """The fields of a message in their order. Raises ModelInvalid where it is damaged."""
    at, end = 0, len(message)
    while at < end:
        tag, at = varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, at = varint(message, at)
            yield Field(number, kind, value, message[at:at])
            continue
        if kind == BYTES:
            size, at = varint(message, at)
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise ModelInvalid(f"its byte {at - 1} begins a field of the unknown kind {kind}")
        if number == 0 or size > end - at:
            raise ModelInvalid(f"field {number} at byte {at} claims {size} bytes, {end - at} are left")
        yield Field(number, kind, 0, message[at : at + size])
        at += size


def varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends."""
    value = 0
    for shift in range(_LONGEST_VARINT):
        if at >= len(message):
            raise ModelInvalid("it ends within a number")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value & (2**64 - 1), at
    raise ModelInvalid(f"a number at byte {at - _LONGEST_VARINT} does not end")


def text(content: memoryview) -> str:
    """Raises ModelInvalid where the bytes are not UTF-8."""
    try:
        return bytes(content).decode()
    except UnicodeDecodeError:
        raise ModelInvalid("a name in it is not UTF-8") from None
