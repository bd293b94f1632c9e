"""Writes `.caffemodel` files: as much of protocol buffers as that takes, and no more."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def caffemodel(layers: Mapping[str, Sequence[Any]], old: bool = False) -> bytes:
    """The bytes of a NetParameter. layers: the arrays of each layer by name. old: the form of before 2015."""
    made = b""
    for name, arrays in layers.items():
        blobs = b"".join(field(6 if old else 7, blob(np.asarray(array), old)) for array in arrays)
        made += field(2 if old else 100, field(4 if old else 1, name.encode()) + blobs)
    return field(1, b"net") + made


def blob(array: Any, old: bool) -> bytes:
    data = field(5, np.ascontiguousarray(array, "<f4").tobytes())
    if not old:
        return data + field(7, field(1, b"".join(varint(size) for size in array.shape)))
    sizes = (1,) * (4 - array.ndim) + array.shape
    return b"".join(varint(number << 3) + varint(size) for number, size in enumerate(sizes, 1)) + data


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])
