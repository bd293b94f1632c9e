"""MXNet's `.params` files: lists of named arrays, of every version since the first.

All numbers are little-endian:
    file   u64 0x112, u64 reserved, u64 n, n arrays, u64 m, m names (u64 length, bytes)
    array  u32 magic, then
           V2 0xF993FAC9 (MXNet 0.12 and later) i32 storage, i32 ndim, ndim x i64; nothing more where ndim is 0
           V3 0xF993FACA (1.6 and later, "np shape") the same, but -1 dimensions mean nothing, 0 one number
           V1 0xF993FAC8 u32 ndim, ndim x i64
           V0 any other: it is ndim itself, then ndim x u32
           i32 device type, i32 device number, i32 type of the elements, the elements
Source: src/ndarray/ndarray.cc of Apache MXNet 1.6 (NDArray::Save, NDArray::Load, LegacyLoad).
"""

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import ModelInvalid
from inference.formats.bounds import MOST_DIMENSIONS, MOST_NAME_BYTES, MOST_NODES, mapped

Array = NDArray[Any]
_LIST = 0x112
_V1, _V2, _V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_STORAGES = {1: "row_sparse", 2: "csr"}
_DTYPES = {0: "<f4", 1: "<f8", 2: "<f2", 3: "u1", 4: "<i4", 5: "i1", 6: "<i8", 7: "?"}
_DTYPES |= {8: "<i2", 9: "<u2", 10: "<u4", 11: "<u8", 12: "bfloat16"}
_SMALLEST_ARRAY = 4  # bytes
_SMALLEST_NAME = 8


def read_params(path: Path) -> dict[str, Array]:
    """The arrays by name, without the `arg:` and `aux:` that most files put before each.

    The arrays are views of the file and cannot be written; bfloat16 comes as float32. Nothing is allocated that
    the file's length does not bear out. Raises ModelNotFound and ModelInvalid, naming the file, the array and
    the byte where it went wrong.
    """
    reader = _Reader(path)
    magic = reader.whole("<Q", "the mark of a list of arrays")
    if magic != _LIST:
        raise ModelInvalid(
            f"{path} is no MXNet parameter file: it begins with 0x{magic:x}, a list of arrays with 0x{_LIST:x}"
        )
    reader.whole("<Q", "the reserved word")
    arrays = [_array(reader, index) for index in range(reader.count("arrays", _SMALLEST_ARRAY))]
    names = [_name(reader, index) for index in range(reader.count("names", _SMALLEST_NAME))]
    if len(names) != len(arrays):
        raise ModelInvalid(
            f"{path} holds {len(arrays)} arrays and {len(names)} names; a network's parameters have a name each"
        )
    if reader.left:
        raise ModelInvalid(f"{path} goes on for {reader.left} bytes after its last name")
    return _by_name(path, names, arrays)


class _Reader:
    """Reads forward through a file, and says where and in what it ended too early."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.at = 0
        self._content = mapped(path)

    @property
    def left(self) -> int:
        return len(self._content) - self.at

    def take(self, size: int, what: str) -> memoryview:
        if size > self.left:
            raise ModelInvalid(
                f"{self.path} is truncated: {what} needs {size} bytes at byte {self.at}, {self.left} are left"
            )
        self.at += size
        return self._content[self.at - size : self.at]

    def whole(self, layout: str, what: str) -> int:
        (value,) = struct.unpack(layout, self.take(struct.calcsize(layout), what))
        return int(value)

    def count(self, what: str, smallest: int) -> int:
        """A number of things, each at least `smallest` bytes: refused before room is made for them."""
        count = self.whole("<Q", f"the number of {what}")
        if count * smallest > self.left:
            raise ModelInvalid(
                f"{self.path} claims {count} {what} at byte {self.at - 8}, but only {self.left} bytes are left"
            )
        if count > MOST_NODES:
            raise ModelInvalid(f"{self.path} claims {count} {what}; at most {MOST_NODES} are read")
        return count


def _array(reader: _Reader, index: int) -> Array | None:
    what = f"array {index}"
    magic = reader.whole("<I", what)
    if magic in (_V2, _V3):
        shape = _shape_with_storage(reader, magic, what)
    elif magic == _V1:
        shape = _shape(reader, reader.whole("<I", what), "<q", what)
    else:
        shape = _shape(reader, magic, "<I", what)
    if shape is None or (not shape and magic != _V3):
        return None
    reader.take(8, what)  # where it lived: the device's type and number
    return _elements(reader, shape, what)


def _shape_with_storage(reader: _Reader, magic: int, what: str) -> tuple[int, ...] | None:
    storage = reader.whole("<i", what)
    if storage in _STORAGES:
        raise ModelInvalid(f"{reader.path}: {what} is {_STORAGES[storage]}; only dense arrays are supported")
    if storage not in (0, -1):
        raise ModelInvalid(f"{reader.path}: {what} has the unknown storage {storage} at byte {reader.at - 4}")
    dimensions = reader.whole("<i", what)
    if dimensions == -1 and magic == _V3:
        return None
    return _shape(reader, dimensions, "<q", what)


def _shape(reader: _Reader, dimensions: int, layout: str, what: str) -> tuple[int, ...]:
    if not 0 <= dimensions <= MOST_DIMENSIONS:
        raise ModelInvalid(
            f"{reader.path}: {what} claims {dimensions} dimensions before byte {reader.at}; 0 to"
            f" {MOST_DIMENSIONS} were expected"
        )
    shape = tuple(reader.whole(layout, what) for _ in range(dimensions))
    if any(size < 0 for size in shape):
        raise ModelInvalid(f"{reader.path}: {what} has the shape {shape}, with a negative size")
    return shape


def _elements(reader: _Reader, shape: tuple[int, ...], what: str) -> Array:
    code = reader.whole("<i", what)
    if code not in _DTYPES:
        raise ModelInvalid(f"{reader.path}: {what} has elements of the unknown type {code}")
    if _DTYPES[code] == "bfloat16":
        halves = np.frombuffer(reader.take(2 * math.prod(shape), f"{what} of shape {shape}"), "<u2")
        return (halves.astype("<u4") << 16).view("<f4").reshape(shape)
    dtype = np.dtype(_DTYPES[code])
    content = reader.take(dtype.itemsize * math.prod(shape), f"{what} of shape {shape}")
    return np.frombuffer(content, dtype).reshape(shape)


def _name(reader: _Reader, index: int) -> str:
    what = f"name {index}"
    length = reader.whole("<Q", what)
    if length > MOST_NAME_BYTES:
        raise ModelInvalid(f"{reader.path}: {what} claims {length} bytes; at most {MOST_NAME_BYTES} are read")
    try:
        return bytes(reader.take(length, what)).decode()
    except UnicodeDecodeError:
        raise ModelInvalid(f"{reader.path}: {what} is not UTF-8, before byte {reader.at}") from None


def _by_name(path: Path, names: list[str], arrays: list[Array | None]) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for name, array in zip(names, arrays, strict=True):
        bare = name.partition(":")[2] if name.startswith(("arg:", "aux:")) else name
        if bare in found:
            raise ModelInvalid(f"{path} names the array {bare!r} twice")
        if array is not None:
            found[bare] = array
    return found
