"""From a picture to a result: manifests, backends, tasks. `load(manifest)` gives a Model that predicts.

Importing this package costs no vendor library: every name is fetched when it is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inference.errors import (
        BackendUnavailable,
        InferenceError,
        ManifestInvalid,
        ModelInvalid,
        ModelMismatch,
        ModelNotFound,
    )
    from inference.manifest import InputSpec, Manifest, OutputSpec
    from inference.model import Identity, Model, load
    from inference.results import Activity, Classification, Detections, Result, Segmentation, Timings

_HOMES = {
    "Activity": "results",
    "BackendUnavailable": "errors",
    "Classification": "results",
    "Detections": "results",
    "Identity": "model",
    "InferenceError": "errors",
    "InputSpec": "manifest",
    "Manifest": "manifest",
    "ManifestInvalid": "errors",
    "Model": "model",
    "ModelInvalid": "errors",
    "ModelMismatch": "errors",
    "ModelNotFound": "errors",
    "OutputSpec": "manifest",
    "Result": "results",
    "Segmentation": "results",
    "Timings": "results",
    "load": "model",
}

__all__ = [
    "Activity",
    "BackendUnavailable",
    "Classification",
    "Detections",
    "Identity",
    "InferenceError",
    "InputSpec",
    "Manifest",
    "ManifestInvalid",
    "Model",
    "ModelInvalid",
    "ModelMismatch",
    "ModelNotFound",
    "OutputSpec",
    "Result",
    "Segmentation",
    "Timings",
    "load",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"inference.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
