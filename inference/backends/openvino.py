"""OpenVINO: reads IR, ONNX, TensorFlow graphs and TensorFlow Lite, and runs them on Intel and Arm processors.

Each slot is one InferRequest; its tensors are handed out as they are, so nothing is copied on the way in or
out. Inference is in float32 also where the processor offers bfloat16: an answer must not depend on the
machine.
"""

import logging
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from inference.backends import UNKNOWN, Opening, Shape, Tensor, TensorSpec
from inference.errors import BackendUnavailable, InferenceError, ModelInvalid, ModelMismatch
from inference.files import KINDS
from inference.metadata import strip_prefixes

_log = logging.getLogger(__name__)
# OpenVINO tells its maker of each import, over the network, and keeps an id in the home folder. A camera calls
# nobody it was not told to call: without this package, as OpenVINO allows for, nothing is told or kept.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
try:
    with warnings.catch_warnings(record=True) as _heard:
        warnings.simplefilter("always")
        import openvino as ov
        from openvino import Type
except (ImportError, OSError, RuntimeError) as error:  # a wheel for a newer system: any of the three
    raise BackendUnavailable(f"OpenVINO cannot be used here: {error}") from error
for _warning in _heard:
    _log.debug("OpenVINO, while it was imported: %s", _warning.message)

T = TypeVar("T")
_COMPOSITE = ("AUTO", "HETERO", "MULTI", "BATCH")
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


class OpenvinoBackend:
    """An OpenVINO model and its requests; see inference.backends.Backend."""

    name = "openvino"

    def __init__(self, opening: Opening) -> None:
        core = _core()
        self.device = _check_device(core, opening.device)
        self.slots = opening.slots
        model = _guarded(lambda: core.read_model(opening.path), ModelInvalid, _unreadable(opening.path))
        self.metadata: Mapping[str, str] = _metadata(model)
        _arrange(model, opening, self.metadata)
        self._compiled = _guarded(
            lambda: core.compile_model(model, self.device, _settings(self.device, opening.slots)),
            ModelInvalid,
            f"{opening.path} cannot be compiled for {self.device}",
        )
        self.inputs = tuple(_spec(port, f"input{i}") for i, port in enumerate(self._compiled.inputs))
        self.outputs = tuple(_spec(port, f"output{i}") for i, port in enumerate(self._compiled.outputs))
        self._requests = [self._compiled.create_infer_request() for _ in range(opening.slots)]
        self._in = [[tensor.data for tensor in request.input_tensors] for request in self._requests]
        self._fixed = self.device == "CPU" and all(spec.is_static for spec in self.outputs)
        self._out = [self._fetch(request) if self._fixed else () for request in self._requests]

    def input(self, slot: int, index: int = 0) -> Tensor:
        tensor: Tensor = self._in[slot][index]
        return tensor

    def run(self, slot: int) -> tuple[Tensor, ...]:
        """Start and wait, not the request's `infer`.

        That saves 12 microseconds on an idle machine, but has the caller's thread compute beside OpenVINO's own:
        where other work wants the cores it takes two to three times as long, with outliers of milliseconds.
        """
        self.start(slot)
        return self.wait(slot)

    def start(self, slot: int) -> None:
        _guarded(self._requests[slot].start_async, InferenceError, "OpenVINO could not start the inference")

    def wait(self, slot: int) -> tuple[Tensor, ...]:
        request = self._requests[slot]
        _guarded(request.wait, InferenceError, "OpenVINO could not finish the inference")
        return self._out[slot] if self._fixed else self._fetch(request)

    def close(self) -> None:
        for request in self._requests:
            _guarded(request.wait, InferenceError, "OpenVINO could not finish the inference")
        self._in, self._out, self._requests, self._compiled = [], [], [], None

    def _fetch(self, request: Any) -> tuple[Tensor, ...]:
        return tuple(request.get_output_tensor(index).data for index in range(len(self.outputs)))


def _guarded(call: Callable[[], T], ours: type[InferenceError], sentence: str) -> T:
    """OpenVINO's table of exceptions has one row: all is a RuntimeError, its reason in the last line."""
    try:
        return call()
    except RuntimeError as error:
        raise ours(f"{sentence}: {_reason(error)}") from error


def _reason(error: RuntimeError) -> str:
    """The last line of a vendor's message that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _unreadable(path: Path) -> str:
    return f"{path} is not readable as {KINDS.get(path.suffix.lower(), 'a model')}"


@cache
def _core() -> Any:
    """One for all models: each would load the device's plug-in anew."""
    return _guarded(ov.Core, BackendUnavailable, "OpenVINO cannot be used here")


def _check_device(core: Any, device: str) -> str:
    kind = device.upper().partition(":")[0]
    known = core.available_devices
    if kind not in _COMPOSITE and kind.partition(".")[0] not in [each.partition(".")[0] for each in known]:
        raise BackendUnavailable(
            f"OpenVINO finds no device {device} on this machine, only {', '.join(known) or 'none'}"
        )
    return device.upper()


def _settings(device: str, slots: int) -> dict[str, Any]:
    settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY" if slots == 1 else "THROUGHPUT"}
    if slots > 1:
        settings["PERFORMANCE_HINT_NUM_REQUESTS"] = slots
    if device == "CPU":
        settings["INFERENCE_PRECISION_HINT"] = "f32"
    return settings


def _metadata(model: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for section in _METADATA_SECTIONS:
        if model.has_rt_info([section]):
            values = model.get_rt_info([section]).value
            found.update({key: str(value) for key, value in values.items() if not isinstance(value, dict)})
    return strip_prefixes(found)


def _arrange(model: Any, opening: Opening, metadata: Mapping[str, str]) -> None:
    """Gives the inputs the shapes that the task settles on."""
    specs = tuple(_spec(port, f"input{i}") for i, port in enumerate(model.inputs))
    shapes: tuple[Shape, ...] = opening.arrange(specs, metadata)
    if any(spec.shape != shape for spec, shape in zip(specs, shapes, strict=True)):
        wanted = dict(zip(range(len(shapes)), map(list, shapes), strict=True))
        _guarded(
            lambda: model.reshape(wanted), ModelMismatch, f"{opening.path} does not take inputs of {shapes}"
        )


def _spec(port: Any, fallback: str) -> TensorSpec:
    partial = port.partial_shape
    ranked = not partial.rank.is_dynamic
    shape = (
        tuple(UNKNOWN if size.is_dynamic else size.get_length() for size in partial) if ranked else (UNKNOWN,)
    )
    name = port.get_any_name() if port.get_names() else fallback
    return TensorSpec(name, shape, _dtype(port.element_type))


def _dtype(element: Type) -> np.dtype[Any]:
    name = element.get_type_name()
    if name not in _DTYPES:
        raise ModelInvalid(f"the model has a tensor of {name}, which is not supported")
    dtype: np.dtype[Any] = np.dtype(_DTYPES[name])
    return dtype


def open_model(opening: Opening) -> OpenvinoBackend:
    """Reads, settles and compiles a model. Raises ModelInvalid, ModelMismatch and BackendUnavailable."""
    return OpenvinoBackend(opening)
