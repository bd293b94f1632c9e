"""The devices that ONNX Runtime can use on this machine."""

from inference.backends.onnxruntime import providers  # raises BackendUnavailable where it cannot be used


def devices() -> dict[str, str]:
    """Names of execution providers by the names that `inference.device` takes: {"CPU": "CPUExecutionProvider"}."""
    return providers()
