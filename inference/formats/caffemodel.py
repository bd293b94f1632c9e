"""Caffe's `.caffemodel`: the weights of each layer by the layer's name.

Field numbers: caffe.proto of BVLC Caffe 1.0 (NetParameter: layers 2, layer 100; LayerParameter: name 1, blobs 7;
V1LayerParameter: name 4, blobs 6; BlobProto: num, channels, height, width 1 to 4, data 5, shape 7, double_data 8).
"""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.errors import ModelInvalid
from inference.formats.bounds import MOST_DIMENSIONS, MOST_NODES, mapped
from inference.formats.protobuf import BYTES, VARINT, fields, text, varint

Array = NDArray[Any]
_MOST_BLOBS = 16
_DTYPES = {5: "<f4", 8: "<f8"}


class _Form(NamedTuple):
    """Where a layer's message has its name and its arrays."""

    name: int
    blobs: int


_FORMS = {100: _Form(1, 7), 2: _Form(4, 6)}


def read_caffemodel(path: Path) -> dict[str, list[Array]]:
    """The arrays of each layer that has some, as float32 of their own shapes.

    Raises ModelNotFound and ModelInvalid, naming the file.
    """
    found: dict[str, list[Array]] = {}
    try:
        for field in fields(mapped(path)):
            if field.kind == BYTES and field.number in _FORMS:
                name, blobs = _layer(field.content, _FORMS[field.number])
                if blobs:
                    found[name] = blobs
            if len(found) > MOST_NODES:
                raise ModelInvalid(f"it has more than {MOST_NODES} layers")
    except ModelInvalid as error:
        raise (
            error if str(path) in str(error) else ModelInvalid(f"{path} is no caffemodel: {error}")
        ) from None
    if not found:
        raise ModelInvalid(f"{path} is no caffemodel: no layer in it has weights")
    return found


def _layer(message: memoryview, form: _Form) -> tuple[str, list[Array]]:
    name, blobs = "", []
    for field in fields(message):
        if field.kind == BYTES and field.number == form.name:
            name = text(field.content)
        elif field.kind == BYTES and field.number == form.blobs:
            blobs.append(field.content)
            if len(blobs) > _MOST_BLOBS:
                raise ModelInvalid(f"the layer {name!r} claims more than {_MOST_BLOBS} arrays")
    return name, [_blob(name, blob) for blob in blobs]


def _blob(name: str, message: memoryview) -> Array:
    old: dict[int, int] = {}
    shape: list[int] | None = None
    numbers = _Numbers(name)
    for field in fields(message):
        if field.number in (1, 2, 3, 4) and field.kind == VARINT:
            old[field.number] = field.value
        elif field.number == 7 and field.kind == BYTES:
            shape = _shape(name, field.content)
        elif field.number in _DTYPES and field.kind != VARINT:
            numbers.add(field.content, _DTYPES[field.number])
    values = numbers.array()
    sizes = shape if shape is not None else [old.get(number, 1) for number in (1, 2, 3, 4)]
    if math.prod(sizes) != values.size:
        raise ModelInvalid(f"the layer {name!r} has an array of shape {sizes} with {values.size} numbers")
    return values.reshape(sizes).astype(np.float32, copy=False)


class _Numbers:
    """The numbers of one array, mostly in one piece, which is not copied, but maybe in very many."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._dtype = "<f4"
        self._content: memoryview | bytearray = memoryview(b"")

    def add(self, content: memoryview, dtype: str) -> None:
        if len(content) % int(dtype[-1]) or (len(self._content) and dtype != self._dtype):
            raise ModelInvalid(
                f"the layer {self._name!r} has an array of {len(content)} bytes, not whole numbers"
            )
        self._dtype = dtype
        if not len(self._content):
            self._content = content
            return
        if isinstance(self._content, memoryview):
            self._content = bytearray(self._content)
        self._content += content

    def array(self) -> Array:
        return np.frombuffer(self._content, self._dtype) if len(self._content) else np.zeros(0, np.float32)


def _shape(name: str, message: memoryview) -> list[int]:
    sizes: list[int] = []
    for field in fields(message):
        if field.number == 1 and field.kind == VARINT:
            sizes.append(field.value)
        elif field.number == 1 and field.kind == BYTES:
            at = 0
            while at < len(field.content) and len(sizes) <= MOST_DIMENSIONS:
                size, at = varint(field.content, at)
                sizes.append(size)
    if len(sizes) > MOST_DIMENSIONS:
        raise ModelInvalid(f"the layer {name!r} has an array of more than {MOST_DIMENSIONS} dimensions")
    return sizes
