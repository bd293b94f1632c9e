"""Which backend and device open a model: those named, or the first of several that can."""

import importlib
import logging
from collections.abc import Iterator
from typing import NamedTuple, cast

from inference.backends import Backend, Opening
from inference.errors import BackendUnavailable, DeviceRefused, InferenceError, ModelInvalid

BACKENDS = ("auto", "openvino", "onnxruntime", "fake")
AUTO = "AUTO"
ORDER = ("GPU", "NPU", "CPU")  # of AUTO: what was built for it first, what is always there last
NAMES = {"openvino": "OpenVINO", "onnxruntime": "ONNX Runtime"}
_OF_OPENVINO = (
    "HETERO",
    "MULTI",
    "BATCH",
)  # its own ways to use several devices at once; their lists are its
_log = logging.getLogger(__name__)


class Refusal(NamedTuple):
    """A backend and device that did not open the model, and why."""

    backend: str
    device: str
    error: InferenceError


def devices_of(wanted: str) -> tuple[str, ...]:
    """The devices of a setting, in the order in which they are tried.

    "AUTO" is GPU, NPU, CPU; "GPU,CPU" and "AUTO:GPU,CPU" are lists. OpenVINO's own device AUTO is not used: it
    begins on the processor and changes over while it runs, so that nobody can say what answered.
    """
    if wanted.upper().partition(":")[0] in _OF_OPENVINO:
        return (wanted,)
    listed = wanted[len(AUTO) + 1 :] if wanted.upper().startswith(f"{AUTO}:") else wanted
    names = [name.strip() for name in listed.split(",") if name.strip()]
    tried = [each for name in names for each in (ORDER if name.upper() == AUTO else (name,))]
    if not tried:
        raise BackendUnavailable(f"inference.device names no device: {wanted!r}")
    return tuple({each.upper(): each for each in tried}.values())


def open_backend(name: str, opening: Opening) -> Backend:
    """Opens a model file with a backend of BACKENDS, on the first device of the opening's list that can.

    `auto` is OpenVINO where it is installed and reads the model, else ONNX Runtime for an .onnx file. One line
    in the log says what was passed over, and why. Raises ModelInvalid, ModelMismatch and BackendUnavailable.
    """
    if name not in BACKENDS:
        raise BackendUnavailable(f"there is no backend {name!r}; there are {', '.join(BACKENDS)}")
    refusals: list[Refusal] = []
    for backend, device in _attempts(name, opening):
        if _is_hopeless(backend, refusals):
            continue
        try:
            opened = _open(backend, opening._replace(device=device))
        except (ModelInvalid, BackendUnavailable) as error:
            refusals.append(Refusal(backend, device, error))
        else:
            _tell(opening, opened, refusals)
            return opened
    raise _verdict(opening, refusals)


def _attempts(name: str, opening: Opening) -> Iterator[tuple[str, str]]:
    devices = devices_of(opening.device)
    if name != "auto":
        yield from ((name, device) for device in devices)
        return
    yield from (("openvino", device) for device in devices)
    if opening.path.suffix.lower() == ".onnx":
        yield from (("onnxruntime", device) for device in devices)


def _is_hopeless(backend: str, refusals: list[Refusal]) -> bool:
    """Whether the backend cannot read the model at all: then no other device of it can."""
    return any(
        refusal.backend == backend
        and isinstance(refusal.error, ModelInvalid)
        and not isinstance(refusal.error, DeviceRefused)
        for refusal in refusals
    )


def _open(name: str, opening: Opening) -> Backend:
    """Imports the backend's file only now: no other part of the package needs a vendor library."""
    module = importlib.import_module(f"inference.backends.{name}")
    try:
        return cast(Backend, module.open_model(opening))
    except UnicodeDecodeError as error:  # both libraries hand over names as they stand in the file
        raise ModelInvalid(
            f"{opening.path} is damaged: a name in it is not UTF-8 ({error.reason})"
        ) from error


def _tell(opening: Opening, opened: Backend, refusals: list[Refusal]) -> None:
    if not refusals:
        return
    name, why = NAMES.get(opened.name, opened.name), "; ".join(reasons(refusals))
    if opened.name == refusals[0].backend:
        _log.info("%s runs on %s %s: %s", opening.path.name, name, opened.device, why)
    else:
        first = NAMES.get(refusals[0].backend, refusals[0].backend)
        _log.warning("%s runs on %s, as %s does not take it: %s", opening.path.name, name, first, why)


def reasons(refusals: list[Refusal]) -> list[str]:
    """What was said, each once."""
    return list(dict.fromkeys(str(refusal.error) for refusal in refusals))


def _verdict(opening: Opening, refusals: list[Refusal]) -> InferenceError:
    """The reason to give where nothing opened the model: what is wrong with it before what is not here."""
    real = [refusal.error for refusal in refusals if not isinstance(refusal.error, BackendUnavailable)]
    if real:
        return real[0]
    of_first = [refusal for refusal in refusals if refusal.backend == refusals[0].backend]
    said = reasons(of_first)
    if len(said) == 1:
        return of_first[0].error
    return BackendUnavailable(f"no device of {opening.device} can be used: {'; '.join(said)}")
