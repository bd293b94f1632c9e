"""Writes MXNet's `.params` files of every version, right or wrong."""

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

CODES = {
    "f4": 0,
    "f8": 1,
    "f2": 2,
    "u1": 3,
    "i4": 4,
    "i1": 5,
    "i8": 6,
    "b1": 7,
    "i2": 8,
    "u2": 9,
    "u4": 10,
    "u8": 11,
}


def params(arrays: Mapping[str, Any], version: int = 2) -> bytes:
    return listed([array(np.asarray(value), version) for value in arrays.values()], list(arrays))


def listed(arrays: list[bytes], names: list[str]) -> bytes:
    named = b"".join(struct.pack("<Q", len(name.encode())) + name.encode() for name in names)
    head = struct.pack("<QQQ", 0x112, 0, len(arrays))
    return head + b"".join(arrays) + struct.pack("<Q", len(names)) + named


def array(value: Any, version: int = 2) -> bytes:
    code = CODES[value.dtype.str[1:]]
    return header(value.shape, version) + struct.pack("<iii", 1, 0, code) + value.tobytes()


def header(shape: tuple[int, ...], version: int) -> bytes:
    """Everything before the device."""
    rank = len(shape)
    if version == 0:
        return struct.pack(f"<I{rank}I", rank, *shape)
    if version == 1:
        return struct.pack(f"<II{rank}q", 0xF993FAC8, rank, *shape)
    return struct.pack(f"<Iii{rank}q", 0xF993FAC7 + version, 0, rank, *shape)
