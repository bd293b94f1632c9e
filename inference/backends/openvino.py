"""OpenVINO: reads IR, ONNX, TensorFlow graphs and TensorFlow Lite, and runs them on Intel and Arm processors.

Each slot is one InferRequest; its tensors are handed out as they are, so nothing is copied on the way in or
out. Inference is in float32 also where the processor offers bfloat16: an answer must not depend on the
machine.
"""

import time
from collections.abc import Mapping
from typing import Any

from inference.backends import Opening, Tensor
from inference.backends.openvino_compiled import Ready, compiled
from inference.backends.openvino_ports import specs_of
from inference.errors import InferenceError
from inference.formats.openvino_library import guarded, reason

QUICK_S = 0.001  # a run of a quick model, seconds
LOOK_AT = 8  # of the first runs, one of which has to be so quick


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
        self._look_at, self._quick = LOOK_AT, False

    def input(self, slot: int, index: int = 0) -> Tensor:
        tensor: Tensor = self._in[slot][index]
        return tensor

    def run(self, slot: int) -> tuple[Tensor, ...]:
        """Start and wait, but for a quick model the request's `infer`, which has the caller's own thread compute.

        That saves two wake-ups, a quarter of a millisecond's run. A longer run it leaves more at the mercy of what
        else wants the cores: it then takes two to three times as long, with outliers of milliseconds.
        """
        if self._quick:
            return self._infer(slot)
        if self._look_at:
            return self._timed(slot)
        self.start(slot)
        return self.wait(slot)

    def _timed(self, slot: int) -> tuple[Tensor, ...]:
        """One of the first runs, which show whether the model is quick."""
        began = time.perf_counter()
        self.start(slot)
        outputs = self.wait(slot)
        self._look_at -= 1
        self._quick = time.perf_counter() - began < QUICK_S and self.device == "CPU"
        return outputs

    def _infer(self, slot: int) -> tuple[Tensor, ...]:
        request = self._requests[slot]
        try:
            request.infer(share_outputs=True)
        except RuntimeError as error:
            raise InferenceError(f"OpenVINO could not finish the inference: {reason(error)}") from error
        return self._out[slot] if self._fixed else self._fetch(request)

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
