"""How models are run: `inference`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from edge.config.section import Section
from edge.config.values import FilePath

MIB = 1 << 20


def cache_home(environ: Mapping[str, str]) -> Path:
    """Where this user's programs keep what they can make anew."""
    if given := environ.get("XDG_CACHE_HOME"):
        return Path(given)
    return Path(environ.get("HOME") or Path.home()) / ".cache"


def in_order(value: object) -> object:
    """A list of devices as the text that names them in their order; it may be text already, as after `--set`."""
    if isinstance(value, str) and value.strip().startswith("[") and value.strip().endswith("]"):
        value = [each.strip(" '\"") for each in value.strip()[1:-1].split(",")]
    if isinstance(value, list | tuple):
        if not value or not all(isinstance(each, str) and each.strip() for each in value):
            raise ValueError(f"expected a device such as CPU, or a list of them, got {value!r}")
        return ",".join(value)
    return value


DEVICE_SCHEMA = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
    ]
}
Devices = Annotated[str, BeforeValidator(in_order), Field(min_length=1), WithJsonSchema(DEVICE_SCHEMA)]


class Cache(Section):
    """What is kept of models from one start to the next: compiled forms, and how each runs best."""

    enabled: bool = Field(default=True, description="Whether anything is kept.")
    path: FilePath | None = Field(
        default=None,
        description="Folder of the cache; it belongs to this user alone. Without it: "
        "$XDG_CACHE_HOME/lensracer (~/.cache/lensracer).",
    )
    max_bytes: int = Field(
        default=1024 * MIB,
        ge=MIB,
        description="What compiled models may take, in bytes; beyond it those longest unused are removed.",
        examples=[1024 * MIB],
    )

    @property
    def folder(self) -> Path | None:
        """The folder, or None if nothing is kept."""
        return (self.path or cache_home(os.environ) / "lensracer") if self.enabled else None


class Inference(Section):
    """How models are run on this device."""

    backend: Literal["auto", "openvino", "onnxruntime", "fake"] = Field(
        default="auto",
        description="What runs the model: `auto` takes OpenVINO where it is installed and reads the model, "
        "else ONNX Runtime; `fake` answers without a model, for trying the rest.",
    )
    device: Devices = Field(
        default="CPU",
        description="Device of the backend, or a list of them of which the first that is here and takes the "
        "model is used; `AUTO` is [GPU, NPU, CPU]. `edge devices` lists those of this machine.",
        examples=["CPU", "AUTO", ["GPU", "CPU"]],
    )
    requests: int = Field(
        default=1,
        ge=1,
        le=64,
        description="How many frames may be inside the model at once. 1 has the lowest latency; 2 and more "
        "are for devices that work on several.",
    )
    hint: Literal["latency", "throughput"] | None = Field(
        default=None,
        description="Whether one request gets all of the device, or several share it. Without it: latency "
        "for one request, throughput for more.",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="Threads of the processor that the model may use. Without it: the backend decides.",
    )
    profile: bool = Field(
        default=True,
        description="Whether to run a model as `edge model bench` found best, where backend, requests, hint "
        "and threads are not named.",
    )
    cache: Cache = Field(default_factory=Cache, description="What is kept from one start to the next.")
