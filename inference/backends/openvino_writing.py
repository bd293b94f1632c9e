"""OpenVINO models written as IR, with the keys of inference.metadata in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inference.backends.openvino_ports import metadata_of
from inference.errors import ModelInvalid
from inference.formats.openvino_library import guarded, ov
from inference.formats.reading import openvino_model

__all__ = ["metadata_of", "read", "write"]


def read(path: Path) -> Any:
    """The `openvino.Model` of a file of any kind. Raises as inference.formats.reading does."""
    return openvino_model(path)


def write(model: Any, xml: Path, metadata: Mapping[str, str], *, half: bool) -> None:
    """Writes `xml` and the .bin beside it. half: weights of FP32 and FP64 as FP16. Raises ModelInvalid."""
    for key, value in metadata.items():
        model.set_rt_info(value, ["model_info", key])
    guarded(
        lambda: ov.save_model(model, str(xml), compress_to_fp16=half),
        ModelInvalid,
        f"the model cannot be written as {xml.name}",
    )
