"""OpenVINO: reads IR, ONNX, TensorFlow graphs and TensorFlow Lite, and runs them on Intel and Arm processors.

Each slot is one InferRequest; its tensors are handed out as they are, so nothing is copied on the way in or
out. Inference is in float32 also where the processor offers bfloat16: an answer must not depend on the
machine.
"""

from collections.abc import Mapping
from typing import Any

from inference.backends import Opening, Tensor
from inference.backends.openvino_compiled import Ready, compiled
from inference.backends.openvino_ports import specs_of
from inference.errors import InferenceError
from inference.formats.openvino_library import guarded


class OpenvinoBackend:
    """An OpenVINO model and its requests; see inference.backends.Backend."""

    name = "openvino"

    def __init__(self, opening: Opening) -> None:
        ready = compiled(opening)
        self.device = ready.device
        self.slots = opening.slots
        self.metadata: Mapping[str, str] = ready.metadata
        self._ready: Ready | None = ready
        self.inputs = specs_of(ready.model.inputs, "input")
        self.outputs = specs_of(ready.model.outputs, "output")
        self._requests = [ready.model.create_infer_request() for _ in range(opening.slots)]
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
        guarded(self._requests[slot].start_async, InferenceError, "OpenVINO could not start the inference")

    def wait(self, slot: int) -> tuple[Tensor, ...]:
        request = self._requests[slot]
        guarded(request.wait, InferenceError, "OpenVINO could not finish the inference")
        return self._out[slot] if self._fixed else self._fetch(request)

    def close(self) -> None:
        for request in self._requests:
            guarded(request.wait, InferenceError, "OpenVINO could not finish the inference")
        self._in, self._out, self._requests, self._ready = [], [], [], None

    def _fetch(self, request: Any) -> tuple[Tensor, ...]:
        return tuple(request.get_output_tensor(index).data for index in range(len(self.outputs)))


def open_model(opening: Opening) -> OpenvinoBackend:
    """Reads, settles and compiles a model. Raises ModelInvalid, ModelMismatch and BackendUnavailable."""
    return OpenvinoBackend(opening)
