"""The devices that ONNX Runtime can use on this machine."""

import onnxruntime as ort

import inference.backends.onnxruntime  # noqa: F401 - raises BackendUnavailable where it cannot be used


def devices() -> dict[str, str]:
    """Names of execution providers by the names that `inference.device` takes: {"CPU": "CPUExecutionProvider"}."""
    return {name.removesuffix("ExecutionProvider"): name for name in ort.get_available_providers()}
