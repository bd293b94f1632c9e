"""What an OpenVINO model says of its inputs and outputs, and of itself."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from inference.backends import UNKNOWN, TensorSpec
from inference.errors import ModelInvalid
from inference.metadata import strip_prefixes

_DTYPES: dict[str, Any] = {
    "f32": np.float32,
    "f16": np.float16,
    "f64": np.float64,
    "u8": np.uint8,
    "i8": np.int8,
    "i32": np.int32,
    "i64": np.int64,
    "boolean": np.bool_,
}
_METADATA_SECTIONS = (
    "framework",
    "model_info",
)  # an ONNX file's own properties, then OpenVINO's keys over them


def specs_of(ports: Iterable[Any], kind: str) -> tuple[TensorSpec, ...]:
    """The specifications of inputs or outputs; one without a name is called by its kind and number.

    Raises ModelInvalid for a type of numbers that NumPy has not.
    """
    return tuple(_spec(port, f"{kind}{number}") for number, port in enumerate(ports))


def metadata_of(model: Any) -> dict[str, str]:
    """What an `openvino.Model` carries in the keys of inference.metadata."""
    found: dict[str, str] = {}
    for section in _METADATA_SECTIONS:
        if model.has_rt_info([section]):
            values = model.get_rt_info([section]).value
            found.update({key: str(value) for key, value in values.items() if not isinstance(value, dict)})
    return strip_prefixes(found)


def _spec(port: Any, fallback: str) -> TensorSpec:
    partial = port.partial_shape
    ranked = not partial.rank.is_dynamic
    shape = (
        tuple(UNKNOWN if size.is_dynamic else size.get_length() for size in partial) if ranked else (UNKNOWN,)
    )
    return TensorSpec(_name(port.get_names()) or fallback, shape, _dtype(port.element_type))


def _name(names: Iterable[str]) -> str | None:
    """One of a tensor's names, always the same; a word before the number of an inner tensor."""
    return min(names, key=lambda name: (name.isdigit(), name), default=None)


def _dtype(element: Any) -> np.dtype[Any]:
    name = element.get_type_name()
    if name not in _DTYPES:
        raise ModelInvalid(f"the model has a tensor of {name}, which is not supported")
    dtype: np.dtype[Any] = np.dtype(_DTYPES[name])
    return dtype
