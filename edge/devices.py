"""The cameras and inference devices of this machine, as plain values."""

import importlib
from typing import Any

from inference.errors import BackendUnavailable
from streams.sources.devices import Device, cameras

BACKENDS = ("openvino", "onnxruntime")


def devices() -> dict[str, Any]:
    """{"cameras": [...], "inference": [...]}; see `camera` and `backend`."""
    return {
        "cameras": [camera(device) for device in cameras()],
        "inference": [backend(name) for name in BACKENDS],
    }


def camera(device: Device) -> dict[str, Any]:
    """One camera: what to write as a source, its names, what it delivers, and why it cannot be used, if so."""
    return {
        "uri": device.path,
        "name": device.name,
        "driver": device.driver,
        "links": list(device.links),
        "formats": [
            {"fourcc": found.fourcc, "sizes": [size._asdict() for size in found.sizes]}
            for found in device.formats
        ],
        "held_by": [str(holder) for holder in device.holders],
        "refusal": device.refusal,
    }


def backend(name: str) -> dict[str, Any]:
    """One backend with its devices by the name that `inference.device` takes; or why it cannot be used."""
    try:
        found: dict[str, str] = importlib.import_module(f"inference.backends.{name}_devices").devices()
    except BackendUnavailable as error:
        return {"backend": name, "devices": {}, "error": str(error)}
    return {"backend": name, "devices": found, "error": None}
