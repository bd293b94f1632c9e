"""The cameras and inference devices of this machine, as plain values."""

import importlib
from collections.abc import Iterable, Sequence
from typing import Any

from inference.backends.choice import ORDER
from inference.errors import BackendUnavailable
from streams.sources.devices import Device, cameras

BACKENDS = ("openvino", "onnxruntime")


def devices() -> dict[str, Any]:
    """{"cameras": [...], "inference": [...], "auto": {...}}; see `camera`, `backend` and `auto`."""
    found = [backend(name) for name in BACKENDS]
    return {"cameras": [camera(device) for device in cameras()], "inference": found, "auto": auto(found)}


def auto(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What `inference.device: AUTO` tries, in its order, and which of it is here.

    {"order": ["GPU", "NPU", "CPU"], "here": [{"backend": "openvino", "device": "CPU"}, ...]}; a model runs on the
    first of `here` that takes it.
    """
    here = [
        {"backend": each["backend"], "device": device}
        for each in found
        for device in ORDER
        if is_here(device, each["devices"])
    ]
    return {"order": list(ORDER), "here": here}


def is_here(device: str, devices: Iterable[str]) -> bool:
    """Whether a device is among those of a backend; GPU stands for GPU.0 too."""
    return any(name.upper().partition(".")[0] == device.upper().partition(".")[0] for name in devices)


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
