"""A vendor library appears in the files that adapt it, nowhere else."""

import fnmatch

import pytest
from project_modules import Module, modules

ADAPTERS = {
    "openvino": [
        "inference/backends/openvino.py",
        "inference/backends/openvino_*.py",
        "inference/formats/openvino_library.py",
        "inference/formats/graph.py",
        "inference/formats/graph_*.py",
    ],
    "onnxruntime": ["inference/backends/onnxruntime.py", "inference/backends/onnxruntime_*.py"],
    "cv2": ["streams/sources/*.py", "streams/encode.py", "inference/overlay.py"],
    "simplejpeg": ["streams/encode.py", "streams/sources/mjpeg.py"],
    "awscrt": [
        "streams/transports/iot_core.py",
        "streams/transports/iot_core_*.py",
        "streams/transports/nucleus.py",
        "edge/signing.py",
    ],
    "awsiot": ["streams/transports/nucleus.py", "streams/transports/nucleus_operations.py"],
    "amqtt": ["edge/broker.py"],
    "nicegui": ["edge/console/*.py"],
    "fastapi": ["edge/console/*.py"],  # comes with nicegui, whose routes and answers are its
    "yaml": ["edge/yamlfile.py", "edge/config/*.py", "edge/config.py"],
    "click": ["edge/cli.py", "edge/commands/*.py"],
    "prometheus_client": ["edge/health.py"],
    "av": ["streams/sinks/record.py", "streams/sinks/record_*.py"],
    "nncf": ["inference/quantize.py"],
    "boto3": ["inference/fetch_s3.py", "edge/s3.py"],
    "botocore": ["inference/fetch_s3.py", "edge/s3.py"],  # boto3's errors and settings
}
# What may be imported anywhere in its own package, being its language rather than a part of it.
FREE = {"numpy": "kernels inference streams control edge", "pydantic": "edge", "pydantic_core": "edge"}


def vendors(module: Module) -> set[str]:
    import sys

    from project_modules import PACKAGES

    return {name.partition(".")[0] for name in module.imports} - set(PACKAGES) - sys.stdlib_module_names


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_vendor_library_stays_in_its_adapter(module: Module) -> None:
    for vendor in sorted(vendors(module)):
        if module.package in FREE.get(vendor, "").split():
            continue
        allowed = ADAPTERS.get(vendor, [])
        assert any(fnmatch.fnmatch(module.relative, pattern) for pattern in allowed), (
            f"{module.relative} imports {vendor}, which belongs in {allowed or 'no file yet'}"
        )
