"""What a runtime would make of a model: where each setting comes from, which task fits, and why the others do not."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from inference import metadata as model_metadata
from inference.anatomy import Anatomy
from inference.errors import InferenceError
from inference.manifest import TASKS, InputSpec, Manifest
from inference.model import load
from inference.picture import DEFAULTS


class Setting(NamedTuple):
    """One key of a project file: its value, and who says so ("project", "metadata", "model", "default")."""

    key: str
    value: Any
    origin: str


class Fit(NamedTuple):
    """Whether a task can be had of the model; reason: a sentence where it cannot."""

    task: str
    fits: bool
    reason: str | None = None
    decoder: str | None = None
    classes: int | None = None
    backend: str | None = None


def settings(found: Anatomy, manifest: Manifest | None) -> list[Setting]:
    """The keys under `input` and `output`, each from where a run would take it; None is "nobody says"."""
    said = model_metadata.read(found.metadata)
    own_input = manifest.input if manifest else InputSpec()
    rows = list(_of_specs("input", own_input, said.input, DEFAULTS, _shaped(found)))
    rows += _of_specs("output", manifest.output if manifest else None, said.output, None, {})
    labels = manifest.labels if manifest else ()
    named = (len(labels), "project") if labels else (len(said.labels), "metadata")
    count, origin = named if named[0] else (None, "default")
    return [*rows, Setting("labels", f"{count} names" if count else None, origin)]


def fits(path: Path, manifest: Manifest | None, **opening: Any) -> list[Fit]:
    """Each task tried on the model as a run would; only the project's own where there is a project.

    opening: keywords of inference.load.
    """
    if manifest is not None:
        return [_fit(manifest, **opening)]
    return [_fit(Manifest("model", task, path), **opening) for task in TASKS]


def _fit(manifest: Manifest, **opening: Any) -> Fit:
    try:
        model = load(manifest, **opening)
    except InferenceError as error:
        return Fit(manifest.task, fits=False, reason=str(error))
    try:
        identity = model.identity
        backend = f"{identity.backend} {identity.device}"
        return Fit(
            manifest.task,
            fits=True,
            decoder=model.decoder,
            classes=len(model.labels) or None,
            backend=backend,
        )
    finally:
        model.close()


def _shaped(found: Anatomy) -> dict[str, Any]:
    """What the shape of an only picture input tells: size (width, height), layout, and gray for one channel."""
    if len(found.inputs) != 1 or len(found.inputs[0].shape) != 4:
        return {}
    shape = found.inputs[0].shape
    layout = "NHWC" if shape[1] not in (1, 3) and shape[3] in (1, 3) else "NCHW"
    height, width = shape[2:] if layout == "NCHW" else shape[1:3]
    channels = shape[1] if layout == "NCHW" else shape[3]
    told: dict[str, Any] = {"layout": layout}
    if height > 0 and width > 0:
        told["size"] = (width, height)
    return told | ({"color": "gray"} if channels == 1 else {})


def _of_specs(
    section: str, project: Any, said: Any, defaults: Any, shaped: Mapping[str, Any]
) -> Iterator[Setting]:
    for field in dataclasses.fields(said):
        places = (
            ("project", _value(project, field.name)),
            ("model", shaped.get(field.name) if field.name == "size" else None),
            ("metadata", _value(said, field.name)),
            ("model", shaped.get(field.name)),
        )
        default = _value(defaults, field.name)
        origin, value = next(
            ((where, value) for where, value in places if value is not None), ("default", default)
        )
        yield Setting(f"{section}.{field.name}", value, origin)


def _value(spec: Any, name: str) -> Any:
    """What a specification says; `auto` says nothing."""
    value = getattr(spec, name, None)
    return None if value == "auto" else value
