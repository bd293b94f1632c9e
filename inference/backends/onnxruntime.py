"""ONNX Runtime: runs ONNX models where OpenVINO cannot be installed, with the same answers.

Inputs and, where their shapes are known, outputs are NumPy arrays of ours, bound once to the session: nothing
is copied or allocated for a frame. A run lets go of the interpreter lock, so several slots run on a small
pool of threads.
"""

import concurrent.futures
import logging
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from inference.backends import UNKNOWN, Opening, Shape, Tensor, TensorSpec, processors
from inference.errors import BackendUnavailable, InferenceError, ModelInvalid, ModelMismatch
from inference.metadata import strip_prefixes
from inference.vetted import vetted

_log = logging.getLogger(__name__)
# ONNX Runtime would tell its maker of each session, over the network, and keep an id in the home folder. It looks
# here while it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
try:
    with warnings.catch_warnings(record=True) as _heard:
        warnings.simplefilter("always")
        import onnxruntime as ort
        from onnxruntime.capi import onnxruntime_pybind11_state as _errors
except (ImportError, OSError, RuntimeError) as error:
    raise BackendUnavailable(f"ONNX Runtime cannot be used here: {error}") from error
for _warning in _heard:
    _log.debug("ONNX Runtime, while it was imported: %s", _warning.message)

T = TypeVar("T")
_REMOTE = {"AzureExecutionProvider"}  # asks a service elsewhere for its answers; no device of this machine
_ERROR_ONLY = 3  # of ONNX Runtime's severities; its warnings are about optimisations it did not do
_VENDOR_ERRORS = (
    _errors.Fail,
    _errors.InvalidArgument,
    _errors.InvalidGraph,
    _errors.InvalidProtobuf,
    _errors.NoModel,
    _errors.NoSuchFile,
    _errors.NotImplemented,
    _errors.EPFail,
    _errors.RuntimeException,
    RuntimeError,
    ValueError,
)
_DTYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


class OnnxRuntimeBackend:
    """An ONNX Runtime session and its bindings; see inference.backends.Backend."""

    name = "onnxruntime"

    def __init__(self, opening: Opening) -> None:
        if opening.path.suffix.lower() != ".onnx":
            raise ModelInvalid(
                f"{opening.path} is not for ONNX Runtime, which reads .onnx; the others need OpenVINO"
            )
        self.device = opening.device.upper()
        self.slots = opening.slots
        vetted(opening.path, opening.cache)
        self._session = _session(opening, {})
        self.metadata: Mapping[str, str] = strip_prefixes(self._session.get_modelmeta().custom_metadata_map)
        self.inputs = self._arrange(opening)
        self._in = [[np.zeros(spec.shape, spec.dtype) for spec in self.inputs] for _ in range(self.slots)]
        self.outputs = tuple(map(_spec, self._session.get_outputs()))
        self._fixed = all(spec.is_static for spec in self.outputs)
        self._out = [self._own_outputs() for _ in range(self.slots)]
        self._bindings = [self._bind(slot) for slot in range(self.slots)]
        if not self._fixed:
            self.outputs = self._tried()
        self._pool = concurrent.futures.ThreadPoolExecutor(self.slots, thread_name_prefix="onnxruntime")
        self._running: dict[int, concurrent.futures.Future[None]] = {}

    def input(self, slot: int, index: int = 0) -> Tensor:
        return self._in[slot][index]

    def run(self, slot: int) -> tuple[Tensor, ...]:
        self._infer(slot)
        return self._fetch(slot)

    def start(self, slot: int) -> None:
        self._running[slot] = self._pool.submit(self._infer, slot)

    def wait(self, slot: int) -> tuple[Tensor, ...]:
        self._running.pop(slot).result()
        return self._fetch(slot)

    def close(self) -> None:
        self._pool.shutdown(wait=True)
        self._running.clear()
        self._bindings, self._session = [], None

    def _infer(self, slot: int) -> None:
        binding = self._bindings[slot]
        try:
            self._session.run_with_iobinding(binding)
        except _VENDOR_ERRORS as error:
            raise InferenceError(f"ONNX Runtime could not finish the inference: {_reason(error)}") from error

    def _fetch(self, slot: int) -> tuple[Tensor, ...]:
        if self._fixed:
            return self._out[slot]
        return tuple(value.numpy() for value in self._bindings[slot].get_outputs())

    def _arrange(self, opening: Opening) -> tuple[TensorSpec, ...]:
        """The inputs with the shapes that the task settles on; the session is told the open sizes."""
        described = self._session.get_inputs()
        specs = tuple(map(_spec, described))
        shapes: tuple[Shape, ...] = opening.arrange(specs, self.metadata)
        for spec, shape in zip(specs, shapes, strict=True):
            _check_shape(opening, spec, shape)
        sizes = {
            size: settled
            for node, shape in zip(described, shapes, strict=True)
            for size, settled in zip(node.shape, shape, strict=True)
            if isinstance(size, str)
        }
        if sizes:
            self._session = _session(opening, sizes)
        return tuple(spec._replace(shape=shape) for spec, shape in zip(specs, shapes, strict=True))

    def _own_outputs(self) -> tuple[Tensor, ...]:
        return tuple(np.zeros(spec.shape, spec.dtype) for spec in self.outputs) if self._fixed else ()

    def _bind(self, slot: int) -> Any:
        binding = self._session.io_binding()
        for spec, array in zip(self.inputs, self._in[slot], strict=True):
            binding.bind_input(spec.name, "cpu", 0, spec.dtype.type, spec.shape, array.ctypes.data)
        for index, spec in enumerate(self.outputs):
            if self._fixed:
                array = self._out[slot][index]
                binding.bind_output(spec.name, "cpu", 0, spec.dtype.type, spec.shape, array.ctypes.data)
            else:
                binding.bind_output(spec.name, "cpu")
        return binding

    def _tried(self) -> tuple[TensorSpec, ...]:
        """Open sizes of outputs, learnt from a run on an empty picture; a 0 there depends on what is seen."""
        seen = self.run(0)
        shapes = (tuple(size or UNKNOWN for size in array.shape) for array in seen)
        return tuple(spec._replace(shape=shape) for spec, shape in zip(self.outputs, shapes, strict=True))


def _session(opening: Opening, sizes: Mapping[str, int]) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = _ERROR_ONLY
    options.intra_op_num_threads = _threads(opening)
    options.add_session_config_entry(
        "session.intra_op.allow_spinning", "0"
    )  # half the processor time, no slower
    for name, size in sizes.items():
        options.add_free_dimension_override_by_name(name, size)
    provider = _provider(opening.device)
    return _guarded(
        lambda: ort.InferenceSession(str(opening.path), options, providers=[provider]),
        ModelInvalid,
        f"{opening.path} is not readable as an ONNX model",
    )


def described(path: Path) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...], dict[str, str]]:
    """Inputs, outputs and metadata of a model file as they stand in it. Raises ModelInvalid."""
    session = _session(Opening(path, "CPU", 1, lambda specs, metadata: ()), {})
    inputs, outputs = (tuple(map(_spec, nodes)) for nodes in (session.get_inputs(), session.get_outputs()))
    return inputs, outputs, strip_prefixes(session.get_modelmeta().custom_metadata_map)


def _threads(opening: Opening) -> int:
    """Threads of one run: all of them by the hint latency, else parted among the slots."""
    hint, threads = opening.tuning
    parts = 1 if hint == "latency" else opening.slots
    return max(1, (threads or processors()) // parts)


def providers() -> dict[str, str]:
    """Names of execution providers by the names that `inference.device` takes: {"CPU": "CPUExecutionProvider"}."""
    here = (name for name in ort.get_available_providers() if name not in _REMOTE)
    return {name.removesuffix("ExecutionProvider"): name for name in here}


def _provider(device: str) -> str:
    wanted = "CPU" if device.upper() == "AUTO" else device.upper()
    available = providers()
    for name, provider in available.items():
        if name.upper() == wanted:
            return str(provider)
    raise BackendUnavailable(
        f"ONNX Runtime has no device {device} on this machine, only {', '.join(available)}"
    )


def _guarded(call: Callable[[], T], ours: type[InferenceError], sentence: str) -> T:
    try:
        return call()
    except _VENDOR_ERRORS as error:
        raise ours(f"{sentence}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """The vendor's message without its own prefixes, on one line."""
    text = " ".join(str(error).split())
    return text.rpartition(" : ")[2] or type(error).__name__


def _check_shape(opening: Opening, spec: TensorSpec, shape: Shape) -> None:
    if any(own not in (UNKNOWN, settled) for own, settled in zip(spec.shape, shape, strict=True)):
        raise ModelMismatch(
            f"{opening.path} was made for the input {spec}; ONNX Runtime cannot run it as {shape}",
            "model",
        )


def _spec(node: Any) -> TensorSpec:
    if node.type not in _DTYPES:
        raise ModelInvalid(f"the model has a tensor {node.name} of {node.type}, which is not supported")
    shape = tuple(size if isinstance(size, int) else UNKNOWN for size in node.shape)
    return TensorSpec(node.name, shape, np.dtype(_DTYPES[node.type]))


def open_model(opening: Opening) -> OnnxRuntimeBackend:
    """Reads, settles and binds a model. Raises ModelInvalid, ModelMismatch and BackendUnavailable."""
    return OnnxRuntimeBackend(opening)
