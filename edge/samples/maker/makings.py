"""With which versions a model was made, for its card."""

from importlib.metadata import version

PARTS = ("torch", "onnx", "onnxruntime", "av", "numpy", "opencv-python-headless")


def versions() -> str:
    """The installed versions of what the maker needs."""
    return ", ".join(f"{part} {version(part)}" for part in PARTS)
