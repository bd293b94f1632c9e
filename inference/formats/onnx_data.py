"""The files that an ONNX model keeps its weights in, when they are not in the model itself.

Field numbers: onnx.proto of ONNX 1.17 (ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto).
"""

import functools
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path, PurePosixPath

from inference.errors import ModelInvalid
from inference.formats.bounds import mapped
from inference.formats.protobuf import BYTES, fields, text

_DEEPEST = 100
_SMALL = 8 << 20  # bytes that are looked through sooner than understood; of larger files most is weights
# Which fields of a message hold which messages.
_WITHIN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
    "entry": {},
}


def external_files(path: Path) -> tuple[Path, ...]:
    """The files beside an ONNX model that hold its tensors, sorted; none for most models.

    Raises ModelInvalid for one that points out of the model's folder, and for a damaged model.
    """
    stat = path.stat()
    return _external_files(path, (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))


@functools.lru_cache(maxsize=16)
def _external_files(path: Path, version: tuple[int, ...]) -> tuple[Path, ...]:
    """version: changes with the file; a start asks several times."""
    content = mapped(path)
    whole = content.obj
    if len(content) <= _SMALL and isinstance(whole, mmap) and whole.find(b"location") < 0:
        return ()
    try:
        locations = sorted(set(_locations(content, "model", 0)))
    except ModelInvalid as error:
        raise ModelInvalid(f"{path} is not readable as an ONNX model: {error}") from None
    return tuple(_inside(path, location) for location in locations)


def _locations(message: memoryview, kind: str, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        raise ModelInvalid(f"its graphs are nested more than {_DEEPEST} deep")
    if kind == "entry":
        yield from _location(message)
        return
    within = _WITHIN[kind]
    for field in fields(message):
        if field.kind == BYTES and field.number in within:
            yield from _locations(field.content, within[field.number], depth + 1)


def _location(entry: memoryview) -> Iterator[str]:
    pair = {field.number: field.content for field in fields(entry)}
    if bytes(pair.get(1, b"")) == b"location":
        yield text(pair.get(2, memoryview(b"")))


def _inside(path: Path, location: str) -> Path:
    place = PurePosixPath(location)
    if not location or "\0" in location or "\\" in location or place.is_absolute() or ".." in place.parts:
        raise ModelInvalid(
            f"{path} keeps weights in {location!r}, outside its own folder; a model reads nothing from elsewhere"
        )
    return path.parent / place
