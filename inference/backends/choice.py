"""Which backend opens a model: the one named, or for `auto` the first that can."""

import importlib
import logging
from typing import cast

from inference.backends import Backend, Opening
from inference.errors import BackendUnavailable, InferenceError, ModelInvalid

BACKENDS = ("auto", "openvino", "onnxruntime", "fake")
_log = logging.getLogger(__name__)


def open_backend(name: str, opening: Opening) -> Backend:
    """Opens a model file with a backend of BACKENDS.

    `auto` is OpenVINO where it is installed and reads the model, else ONNX Runtime for an .onnx file, with
    one line in the log that says why. Raises ModelInvalid, ModelMismatch and BackendUnavailable.
    """
    if name not in BACKENDS:
        raise BackendUnavailable(f"there is no backend {name!r}; there are {', '.join(BACKENDS)}")
    return _first_that_can(opening) if name == "auto" else _open(name, opening)


def _open(name: str, opening: Opening) -> Backend:
    """Imports the backend's file only now: no other part of the package needs a vendor library."""
    module = importlib.import_module(f"inference.backends.{name}")
    try:
        return cast(Backend, module.open_model(opening))
    except UnicodeDecodeError as error:  # both libraries hand over names as they stand in the file
        raise ModelInvalid(
            f"{opening.path} is damaged: a name in it is not UTF-8 ({error.reason})"
        ) from error


def _first_that_can(opening: Opening) -> Backend:
    try:
        return _open("openvino", opening)
    except (ModelInvalid, BackendUnavailable) as error:
        if opening.path.suffix.lower() != ".onnx":
            raise
        backend = _second(opening, error)
        _log.warning("%s runs on ONNX Runtime, as OpenVINO does not take it: %s", opening.path.name, error)
        return backend


def _second(opening: Opening, first: InferenceError) -> Backend:
    """ONNX Runtime; where it cannot either, OpenVINO's reason counts if OpenVINO is there to have one."""
    try:
        return _open("onnxruntime", opening)
    except (ModelInvalid, BackendUnavailable) as error:
        if isinstance(first, BackendUnavailable) and not isinstance(error, BackendUnavailable):
            raise
        raise first from error
