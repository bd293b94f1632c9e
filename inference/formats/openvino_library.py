"""How OpenVINO is imported, and the one Core of the process: what reads models and what runs them share it."""

import logging
import sys
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from inference.errors import BackendUnavailable, InferenceError

_log = logging.getLogger(__name__)
T = TypeVar("T")
# OpenVINO tells its maker of each import, over the network, and keeps an id in the home folder. A camera calls
# nobody it was not told to call: without this package, as OpenVINO allows for, nothing is told or kept.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
# Its converter of other frameworks' models is a third of its import's time, and is not needed to read and run.
_CONVERTER = "openvino.tools.ovc"
_absent = _CONVERTER not in sys.modules
if _absent:
    sys.modules[_CONVERTER] = None  # type: ignore[assignment]
try:
    with warnings.catch_warnings(record=True) as _heard:
        warnings.simplefilter("always")
        import openvino as ov
except (ImportError, OSError, RuntimeError) as error:  # a wheel for a newer system: any of the three
    raise BackendUnavailable(f"OpenVINO cannot be used here: {error}") from error
finally:
    if _absent:
        del sys.modules[_CONVERTER]  # whoever wants it can still import it
for _warning in _heard:
    _log.debug("OpenVINO, while it was imported: %s", _warning.message)

__all__ = ["core", "guarded", "ov", "reason"]


@cache
def core() -> Any:
    """One for all models: each would load the device's plug-in anew."""
    return guarded(ov.Core, BackendUnavailable, "OpenVINO cannot be used here")


def guarded(call: Callable[[], T], ours: type[InferenceError], sentence: str) -> T:
    """OpenVINO's table of exceptions has one row: all is a RuntimeError, its reason in the last line."""
    try:
        return call()
    except RuntimeError as error:
        raise ours(f"{sentence}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """The last line of a vendor's message that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
