"""What ONNX Runtime sees in a model file: no operations and no weights, which it keeps to itself."""

from pathlib import Path

from inference.anatomy import Anatomy
from inference.backends.onnxruntime import described


def anatomy(path: Path) -> Anatomy:
    """See inference.anatomy."""
    inputs, outputs, metadata = described(path)
    return Anatomy("onnxruntime", inputs, outputs, metadata, {}, {})
