"""What a model is made of: inputs, outputs, metadata, operations and weights, as one backend or the other sees it."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, cast

from inference.backends import TensorSpec
from inference.errors import BackendUnavailable, ModelInvalid


class Anatomy(NamedTuple):
    """A model as it was read, before any shape was settled.

    reader: which backend read it. operations: how many of each kind, the most frequent first. weights: bytes of
    the constants by their type of number ("f32", "f16", "i8", ...); both empty where the reader does not tell.
    """

    reader: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    metadata: Mapping[str, str]
    operations: Mapping[str, int]
    weights: Mapping[str, int]

    @property
    def precision(self) -> str | None:
        """INT8, FP16, FP32, ...: the type of most weights' bytes, but INT8 where a tenth of the weights are."""
        numbers = {name: size for name, size in self.weights.items() if name in _BITS}
        if not numbers:
            return None
        counts = {name: size * 8 // _BITS[name] for name, size in numbers.items()}
        small = sum(count for name, count in counts.items() if _BITS[name] <= 8)
        if small * 10 >= sum(counts.values()):
            return "INT8"
        return _NAMES.get(max(counts, key=lambda name: counts[name]))


_BITS = {"f64": 64, "f32": 32, "f16": 16, "bf16": 16, "i8": 8, "u8": 8, "i4": 4, "u4": 4}
_NAMES = {"f64": "FP64", "f32": "FP32", "f16": "FP16", "bf16": "BF16"}


def anatomy(path: Path) -> Anatomy:
    """Read a model with OpenVINO, or where it is not installed an .onnx file with ONNX Runtime.

    Raises ModelNotFound, ModelInvalid, BackendUnavailable.
    """
    try:
        return _by("openvino", path)
    except BackendUnavailable:
        if path.suffix.lower() != ".onnx":
            raise
        return _by("onnxruntime", path)


def _by(backend: str, path: Path) -> Anatomy:
    module = importlib.import_module(f"inference.backends.{backend}_anatomy")
    try:
        return cast(Anatomy, module.anatomy(path))
    except UnicodeDecodeError as error:
        raise ModelInvalid(f"{path} is damaged: a name in it is not UTF-8 ({error.reason})") from error
