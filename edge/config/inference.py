"""How models are run: `inference`."""

from typing import Literal

from pydantic import Field

from edge.config.section import Section


class Inference(Section):
    """How models are run on this device."""

    backend: Literal["auto", "openvino", "onnxruntime", "fake"] = Field(
        default="auto",
        description="What runs the model: `auto` takes OpenVINO where it is installed and reads the model, "
        "else ONNX Runtime; `fake` answers without a model, for trying the rest.",
    )
    device: str = Field(
        default="CPU",
        min_length=1,
        description="Device of the backend; `edge devices` lists those of this machine.",
        examples=["CPU", "GPU", "AUTO"],
    )
    requests: int = Field(
        default=1,
        ge=1,
        le=64,
        description="How many frames may be inside the model at once. 1 has the lowest latency; 2 and more "
        "are for devices that work on several.",
    )
