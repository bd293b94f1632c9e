"""From a model file to a compiled OpenVINO model: out of the cache, or read, settled, compiled and kept there.

An entry of the cache also says what the model said of itself before it was compiled: the task settles shapes
by that, and one that settles otherwise than the entry was compiled for is a miss.
"""

import functools
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from inference import cache, formats
from inference.backends import Opening, Shape, TensorSpec, processors
from inference.backends.openvino_ports import metadata_of, specs_of
from inference.cache import Cache, Entry
from inference.errors import BackendUnavailable, DeviceRefused, ModelMismatch
from inference.formats.openvino_library import core, guarded, ov, reason
from inference.formats.reading import openvino_model
from inference.vetted import size_of, vetted

_log = logging.getLogger(__name__)
_COMPOSITE = ("HETERO", "MULTI", "BATCH")
_OVERHEAD = 4 << 20  # bytes that an entry takes beside the weights


class Ready(NamedTuple):
    """A compiled model. `model` is an `openvino.CompiledModel`; held: what must live as long as it does."""

    model: Any
    device: str
    metadata: Mapping[str, str]
    held: object = None


def compiled(opening: Opening) -> Ready:
    """The model of an opening, compiled for its one device.

    Raises BackendUnavailable where the device is not here, DeviceRefused where it does not take the model,
    ModelNotFound, ModelInvalid and ModelMismatch.
    """
    device = present(opening.device)
    settings = settings_of(device, opening)
    kept = cache.of(opening)
    if kept is None:
        return _read(opening, device, settings)
    key = _key(opening, device, settings)
    return _imported(opening, kept, key, device, settings) or _read(opening, device, settings, kept, key)


def present(device: str) -> str:
    """The device in capitals. Raises BackendUnavailable, naming those that are here."""
    kind = device.upper().partition(":")[0]
    if kind == "CPU" or kind in _COMPOSITE:  # looking for the others takes time
        return device.upper()
    known = core().available_devices
    if kind.partition(".")[0] not in [each.partition(".")[0] for each in known]:
        raise BackendUnavailable(
            f"OpenVINO finds no device {device} on this machine, only {', '.join(known) or 'none'}"
        )
    return device.upper()


def settings_of(device: str, opening: Opening) -> dict[str, Any]:
    """OpenVINO's properties for a device: one request gets all of it, several share it, unless told."""
    hint = opening.tuning.hint or ("latency" if opening.slots == 1 else "throughput")
    settings: dict[str, Any] = {"PERFORMANCE_HINT": hint.upper()}
    if opening.slots > 1:
        settings["PERFORMANCE_HINT_NUM_REQUESTS"] = opening.slots
    if device == "CPU":
        settings["INFERENCE_PRECISION_HINT"] = "f32"
        if opening.tuning.threads:
            settings["INFERENCE_NUM_THREADS"] = opening.tuning.threads
    return settings


def _key(opening: Opening, device: str, settings: Mapping[str, Any]) -> str:
    whole = [device] if ":" not in device else []
    hardware = [str(core().get_property(each, "FULL_DEVICE_NAME")) for each in whole]
    here = (device, hardware, processors())
    return cache.key_of("openvino", ov.get_version(), here, settings, opening.digest, _readers())


def _readers() -> list[int]:
    """Changes with every change of our importers: an entry is of a model as this very program reads it."""
    return sorted(path.stat().st_mtime_ns for path in Path(formats.__file__).parent.glob("*.py"))


def _imported(
    opening: Opening, kept: Cache, key: str, device: str, settings: Mapping[str, Any]
) -> Ready | None:
    """The model out of the cache; None where it holds none for these very shapes, or one that is unusable."""
    entry = kept.find(key)
    if entry is None:
        return None
    metadata, specs, shapes = _about(entry)
    if opening.arrange(specs, metadata) != shapes:
        return None
    content = np.frombuffer(entry.content, np.uint8)
    tensor = ov.Tensor(content, shared_memory=True)
    try:
        model = core().import_model(tensor, device, dict(settings))
    except RuntimeError as error:
        _log.warning("the compiled model of %s is made anew: %s", opening.path.name, reason(error))
        kept.remove(key)
        return None
    _log.debug("%s comes out of the cache, compiled for %s", opening.path.name, device)
    return Ready(model, device, metadata, (entry, content, tensor))


def _about(entry: Entry) -> tuple[dict[str, str], tuple[TensorSpec, ...], tuple[Shape, ...]]:
    about = entry.about
    specs = tuple(TensorSpec(name, tuple(shape), np.dtype(dtype)) for name, shape, dtype in about["inputs"])
    return dict(about["metadata"]), specs, tuple(map(tuple, about["shapes"]))


def _read(
    opening: Opening, device: str, settings: Mapping[str, Any], kept: Cache | None = None, key: str = ""
) -> Ready:
    """The model out of its file, compiled, and kept in the cache if there is one."""
    vetted(opening.path, opening.cache)
    model = openvino_model(opening.path)
    metadata = metadata_of(model)
    specs = specs_of(model.inputs, "input")
    shapes = opening.arrange(specs, metadata)
    _reshape(model, opening, specs, shapes)
    done = guarded(
        lambda: core().compile_model(model, device, dict(settings)),
        DeviceRefused,
        f"{opening.path} cannot be compiled for {device}",
    )
    if kept is not None:
        inputs = [(spec.name, spec.shape, spec.dtype.name) for spec in specs]
        about = {"metadata": metadata, "inputs": inputs, "shapes": shapes, "model": opening.path.name}
        _keep(
            kept, key, done, about, _OVERHEAD + 2 * size_of(opening.path)
        )  # twice, if its weights are packed
    return Ready(done, device, metadata)


def _reshape(model: Any, opening: Opening, specs: tuple[TensorSpec, ...], shapes: tuple[Shape, ...]) -> None:
    """Gives the inputs the shapes that the task settled on."""
    if any(spec.shape != shape for spec, shape in zip(specs, shapes, strict=True)):
        wanted = dict(zip(range(len(shapes)), map(list, shapes), strict=True))
        guarded(
            lambda: model.reshape(wanted), ModelMismatch, f"{opening.path} does not take inputs of {shapes}"
        )


def _keep(kept: Cache, key: str, model: Any, about: Mapping[str, Any], size: int) -> None:
    """Put a compiled model into the cache. A device that cannot export is no mistake."""
    try:
        kept.make(key, functools.partial(_export, model), about, size)
    except RuntimeError as error:
        _log.debug("a compiled model is not kept: %s", reason(error))


def _export(model: Any, folder: Path) -> Path:
    path = folder / "exported"
    path.write_bytes(model.export_model().getbuffer())
    return path
